import type { StoreOptions } from './object-io.js'

/** A signal alone as the options of a hook, which are exact: none is not `undefined`. */
export function signalOptions(signal: AbortSignal | undefined): StoreOptions {
  return signal ? { signal } : {}
}
