/** A piece is yielded as soon as it has this many bytes. */
const pieceBytes = 256 * 1024

/**
 * Joins ASCII text into pieces of 256 KiB or a little more. All pieces share one buffer: each is valid until the next one
 * is requested.
 */
export function* asciiPieces(texts: Iterable<string>): Generator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(pieceBytes)
  let length = 0
  for (const text of texts) {
    if (length > 0 && length + text.length > buffer.length) {
      yield buffer.subarray(0, length)
      length = 0
    }
    if (text.length > buffer.length) buffer = Buffer.allocUnsafe(text.length)
    length += buffer.write(text, length, 'latin1')
  }
  if (length > 0) yield buffer.subarray(0, length)
}

/** Yields the pieces of a synchronous generator, each made when it is requested. */
export function asyncPieces(make: () => Generator<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const pieces = make()
      return {
        next: () =>
          new Promise((resolve) => {
            resolve(pieces.next())
          }),
        return: () => {
          pieces.return(undefined)
          return Promise.resolve({ done: true, value: undefined })
        },
      }
    },
  }
}
