#!/usr/bin/env node
import { guardProcess } from './last-guard.js'
import { main, isJsonRequested } from './main.js'
import { SignalAbort, abortOnSignals } from './signals.js'
import { StandardStream } from './standard-stream.js'

const { env } = process
const argv = process.argv.slice(2)
const guard = guardProcess(isJsonRequested(argv, env))
const { signal, stop } = abortOnSignals()

async function run(): Promise<void> {
  const exitCode = await main(argv, {
    // A getter, because the first access to process.stdin opens it.
    get stdin() {
      return process.stdin
    },
    stdout: new StandardStream(process.stdout),
    stderr: new StandardStream(process.stderr),
    env,
    signal,
  })
  stop()
  process.exitCode = exitCode
  guard.release()
  // A source that still waits for its writer would keep the process alive after a signal.
  if (signal.reason instanceof SignalAbort) process.exit()
}

// Not awaited at the top level: Node.js ends a module that never finishes with exit code 13, and a warning of its own.
void run()
