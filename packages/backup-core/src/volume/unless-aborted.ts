import { reasonOfAbort } from '../errors/abort.js'

/**
 * Waits for `work`, but no longer than until the signal is aborted: for work that knows of no signal and may never
 * end. The work itself goes on, unheard. Rejects as `throwIfAborted` throws.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  operation: string,
): Promise<T> {
  if (signal === undefined) return work
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(reasonOfAbort(signal, operation))
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}
