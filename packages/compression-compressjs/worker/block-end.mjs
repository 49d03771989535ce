// @ts-check

/** bzip2 writes a run of 4 to 255 equal bytes as four of them and a count. */
const shortestRun = 4
const longestRun = 255

/** What a block holds at level 1, and what compressjs leaves free of it. */
const symbolsALevel = 100_000
const reserveBytes = 19

/**
 * Where the part of a piece ends that fits into one block. compressjs begins a new block wherever one is full, and
 * where that is right behind the fourth byte of a run, leaves out the count: a stream that libbzip2 refuses. So no
 * block is ever to be full in its hands.
 * @param {Uint8Array} piece
 * @param {number} start
 * @param {number} level
 */
export function blockEnd(piece, start, level) {
  const most = level * symbolsALevel - reserveBytes
  let lengthBytes = 0
  let run = 0
  let last = -1
  for (let at = start; at < piece.length; at++) {
    const byte = piece[at] ?? 0
    run = byte === last && run < longestRun ? run + 1 : 1
    last = byte
    if (run > shortestRun) continue
    // The fourth byte of a run brings the count.
    lengthBytes += run === shortestRun ? 2 : 1
    if (lengthBytes > most) return at
  }
  return piece.length
}
