import { exitCodes } from './exit-codes.js'
import type { ExitCode } from './exit-codes.js'

const exitCodeBySignal = {
  SIGHUP: exitCodes.hangup,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
} as const

type EndingSignal = keyof typeof exitCodeBySignal

/** The reason of an abort by a signal of the operating system. */
export class SignalAbort extends Error {
  readonly exitCode: ExitCode

  constructor(signalName: EndingSignal) {
    super(`${signalName} was received.`)
    this.name = 'SignalAbort'
    this.exitCode = exitCodeBySignal[signalName]
  }
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that the operation can remove what it wrote. The second
 * one ends the process immediately.
 */
export function abortOnSignals(): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController()
  const names = Object.keys(exitCodeBySignal) as EndingSignal[]
  const onSignal = (name: EndingSignal): void => {
    if (!controller.signal.aborted) {
      controller.abort(new SignalAbort(name))
      return
    }
    // The default action, not process.exit: that joins Node's thread pool, and waits for a read that never returns.
    stop()
    process.kill(process.pid, name)
  }
  const stop = (): void => {
    for (const name of names) process.removeListener(name, onSignal)
  }
  for (const name of names) process.on(name, onSignal)
  return { signal: controller.signal, stop }
}
