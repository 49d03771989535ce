import type { ReplayableBody } from '../contracts/object-store.js'
import { asyncPieces } from './body-pieces.js'
import { FORMAT_VERSION } from './format-version.js'
import { hashBytes, type HashList } from './hash-list.js'
import { pythonString } from './python-json.js'
import type { Sha256fileHeader } from './sha256file-types.js'

/** A line: four spaces, the hash in quotes, a comma, a newline. */
const lineStart = '    "'
const lineEnd = '",\n'
const lineBytes = lineStart.length + 2 * hashBytes + lineEnd.length
const linesInPiece = 3640

/**
 * The line before the first hash has an odd length. One byte of space in front of it puts every hash at an even
 * address, where two digits are written at once.
 */
const paddingBytes = 1

/**
 * The `_sha256file` object, byte for byte as Cinder writes it, in pieces of 256 KiB from one buffer. The hashes must not
 * change until the body has been sent.
 */
export function sha256fileBody(header: Sha256fileHeader, hashes: HashList): ReplayableBody {
  const count = hashes.length
  const head = Buffer.from(headText(header, count))
  const tail = Buffer.from(tailText(header, count))
  // The last line has no comma.
  const listBytes = count === 0 ? 0 : count * lineBytes - 1
  return {
    lengthBytes: head.length + listBytes + tail.length,
    stream: () =>
      asyncPieces(function* () {
        yield head
        yield* hashPieces(hashes, count)
        yield tail
      }),
  }
}

function* hashPieces(hashes: HashList, count: number): Generator<Uint8Array> {
  if (count === 0) return
  const lines = Math.min(count, linesInPiece)
  const memory = new ArrayBuffer(2 * Math.ceil((paddingBytes + lines * lineBytes) / 2))
  const bytes = Buffer.from(memory)
  const pairs = new Uint16Array(memory)
  const emptyLine = lineStart + ' '.repeat(2 * hashBytes) + lineEnd
  for (let line = 0; line < lines; line++) bytes.write(emptyLine, paddingBytes + line * lineBytes, 'latin1')

  const firstPair = (paddingBytes + lineStart.length) / 2
  for (let index = 0; index < count; index += lines) {
    const inPiece = Math.min(lines, count - index)
    for (let line = 0; line < inPiece; line++) {
      hashes.hexInto(index + line, pairs, firstPair + (line * lineBytes) / 2)
    }
    const end = paddingBytes + inPiece * lineBytes
    if (index + inPiece < count) yield bytes.subarray(paddingBytes, end)
    else {
      bytes[end - 2] = 0x0a
      yield bytes.subarray(paddingBytes, end - 1)
    }
  }
}

function headText(header: Sha256fileHeader, count: number): string {
  return `{
  "backup_description": ${nullable(header.backupDescription)},
  "backup_id": ${pythonString(header.backupId)},
  "backup_name": ${nullable(header.backupName)},
  "chunk_size": ${header.blockSizeBytes},
  "created_at": ${pythonString(header.createdAt)},
  "sha256s": [${count === 0 ? '' : '\n'}`
}

function tailText(header: Sha256fileHeader, count: number): string {
  return `${count === 0 ? '' : '  '}],
  "version": "${FORMAT_VERSION}",
  "volume_id": ${pythonString(header.volumeId)}
}`
}

function nullable(text: string | null): string {
  return text === null ? 'null' : pythonString(text)
}
