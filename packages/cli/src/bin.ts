#!/usr/bin/env node
import { main } from './main.js'
import { SignalAbort, abortOnSignals } from './signals.js'

/** A reader that has gone away (`stowage list | head -1`) is no fault: the output has nowhere to go, and that is all. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

process.stdout.on('error', ignoreClosedPipe)
process.stderr.on('error', ignoreClosedPipe)

const { signal, stop } = abortOnSignals()
const { stderr, stdout, env } = process
const exitCode = await main(process.argv.slice(2), {
  // A getter, since the first touch of process.stdin opens it.
  get stdin() {
    return process.stdin
  },
  stdout,
  stderr,
  env,
  signal,
})
stop()
process.exitCode = exitCode
// A source that still waits for its writer would keep the process: after a signal nothing is waited for any more.
if (signal.reason instanceof SignalAbort) process.exit()
