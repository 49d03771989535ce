/**
 * An iterable whose errors are mapped, and whose items are passed on as they are. Not a generator: that would cost
 * several turns of the microtask queue for each of a million names.
 */
export function mapIterable<T>(
  open: () => AsyncIterable<T>,
  toError: (error: unknown) => unknown,
): AsyncIterable<T> {
  const fail = (error: unknown): never => {
    throw toError(error)
  }
  return {
    [Symbol.asyncIterator](): AsyncIterator<T> {
      let opened: AsyncIterator<T> | undefined
      const iterator = (): AsyncIterator<T> => (opened ??= open()[Symbol.asyncIterator]())
      return {
        async next() {
          try {
            return await iterator().next()
          } catch (error) {
            return fail(error)
          }
        },
        async return() {
          try {
            await opened?.return?.()
          } catch (error) {
            fail(error)
          }
          return { done: true, value: undefined }
        },
      }
    },
  }
}
