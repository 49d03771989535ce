import { createHash } from 'node:crypto'
import { asciiPieces } from './body-pieces.js'
import type { BackupMetadata } from './metadata-types.js'
import { metadataTexts } from './metadata-texts.js'

/** What a manifest's checksum looks like. */
const checksumPattern = /^sha256:[0-9a-f]{64}$/

/** How many pieces of 256 KiB are hashed before other work gets its turn: some milliseconds. */
const PIECES_IN_TURN = 16

/** What is wrong with a checksum, whatever it is of; null if nothing is. */
export function checksumProblem(text: string): string | null {
  return checksumPattern.test(text) ? null : 'must be `sha256:` and 64 lower-case hex digits'
}

/**
 * The checksum of a manifest: the SHA-256 of the text that Stowage writes for its values, without the checksum's own key.
 * White space and the order of keys do not count, nor do keys that Stowage does not know.
 */
export async function checksumOf(metadata: BackupMetadata): Promise<string> {
  const hash = createHash('sha256')
  let pieces = 0
  for (const piece of asciiPieces(metadataTexts(metadata, null))) {
    hash.update(piece)
    pieces += 1
    if (pieces % PIECES_IN_TURN === 0) await new Promise(setImmediate)
  }
  return `sha256:${hash.digest('hex')}`
}

/** The same, for the writer: it counts the text's bytes in the same pass. */
export function checksumAndLength(metadata: BackupMetadata): { checksum: string; lengthBytes: number } {
  const hash = createHash('sha256')
  let lengthBytes = 0
  for (const piece of asciiPieces(metadataTexts(metadata, null))) {
    hash.update(piece)
    lengthBytes += piece.length
  }
  return { checksum: `sha256:${hash.digest('hex')}`, lengthBytes }
}
