import type { ReplayableBody } from '../contracts/object-store.js'
import { asciiPieces, asyncPieces } from './body-pieces.js'
import { checksumAndLength } from './metadata-checksum.js'
import { metadataTexts } from './metadata-texts.js'
import type { BackupMetadata } from './metadata-types.js'

/**
 * The `_metadata` object, byte for byte as Cinder writes it. It is made as it is read, so that a list of millions of
 * objects is never a string. The list of objects must not change until the body has been sent.
 *
 * `volume_size_bytes` and those that begin with `stowage_` are our own: Cinder ignores keys that it does not know.
 */
export function metadataBody(metadata: BackupMetadata): ReplayableBody {
  // A first pass counts the text, and sums it.
  const { checksum, lengthBytes } = checksumAndLength(metadata)
  const written = metadata.checksummed ? checksum : null
  return {
    lengthBytes: lengthBytes + checksumMemberBytes(written),
    stream: () => asyncPieces(() => asciiPieces(metadataTexts(metadata, written))),
  }
}

function checksumMemberBytes(checksum: string | null): number {
  return checksum === null ? 0 : `  "stowage_checksum": "${checksum}",\n`.length
}
