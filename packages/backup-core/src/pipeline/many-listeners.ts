import { EventEmitter, getMaxListeners, setMaxListeners } from 'node:events'

/**
 * Lets any number of requests of an operation wait for its signal. Node.js takes more than ten listeners of a signal for a
 * leak, and prints a warning. A limit that was chosen is kept.
 */
export function allowManyListeners(signal: AbortSignal): void {
  try {
    if (getMaxListeners(signal) === EventEmitter.defaultMaxListeners) setMaxListeners(Infinity, signal)
  } catch {
    // A signal that is not of Node.js, such as that of a polyfill, has no limit.
  }
}
