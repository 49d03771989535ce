/** A piece is sent on as soon as it has this many bytes. */
const pieceBytes = 256 * 1024

/**
 * Gathers ASCII text into pieces of 256 KiB to a bit more. The memory is the same for every piece, so each is only good
 * until the next one is asked for.
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

/** Pieces that are made on the spot, for those who await them. Each is made when it is asked for, not before. */
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
