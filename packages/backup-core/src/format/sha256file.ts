import type { ReplayableBody } from '../contracts/object-store.js'
import { Fields, FORMAT_VERSION } from './json.js'
import { hashBytes, HashList } from './hash-list.js'
import { readListDocument } from './list-document.js'
import type { ObjectLocation } from './manifest-reader.js'
import { idProblem } from './object-names.js'
import { pythonString } from './python-json.js'

/** The content of a backup's `_sha256file` object, except the hashes. */
export interface Sha256fileHeader {
  readonly backupId: string
  readonly volumeId: string
  readonly backupName: string | null
  readonly backupDescription: string | null
  /** `2026-01-01 00:00:00+00:00` */
  readonly createdAt: string
  /** Bytes of the volume for each hash; the last block may be shorter. The object calls it `chunk_size`. */
  readonly blockSizeBytes: number
}

/** No block of a volume is larger than this: a TiB. */
const MAX_READ_BLOCK_SIZE_BYTES = 2 ** 40

const quote = 0x22

/** The result of {@link parseSha256file}. */
export interface Sha256file {
  readonly header: Sha256fileHeader
  readonly hashes: HashList
}

/**
 * Reads and checks a `_sha256file` object: 32 bytes of memory for each block, whatever its size. Keys may come in any order;
 * unknown ones are ignored. A piece may be reused once the next one is requested.
 *
 * @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0, `METADATA_INVALID` for anything else.
 */
export async function parseSha256file(
  pieces: AsyncIterable<Uint8Array>,
  context: ObjectLocation,
): Promise<Sha256file> {
  const hashes = new HashList()
  let itemProblem: string | undefined
  const itemBytes = 2 * hashBytes + 2
  const tryFastPath = (bytes: Buffer, start: number): number => {
    const end = start + itemBytes
    const isText = bytes[start] === quote && bytes[end - 1] === quote
    return isText && hashes.pushHex(bytes, start + 1) ? end : 0
  }
  const document = await readListDocument(pieces, {
    listKey: 'sha256s',
    onItem: (bytes, start, end) => {
      if (end - start === itemBytes && tryFastPath(bytes, start) > 0) return
      itemProblem ??= `\`sha256s[${hashes.length}]\` must be 64 hex digits`
    },
    tryFastPath,
    subject: context,
  })
  const fields = Fields.ofDocument(document, context)
  fields.list('sha256s', document, itemProblem)
  const header = {
    backupId: fields.text('backup_id', idProblem),
    volumeId: fields.text('volume_id', idProblem),
    backupName: fields.nullableText('backup_name'),
    backupDescription: fields.nullableText('backup_description'),
    createdAt: fields.text('created_at'),
    blockSizeBytes: fields.integer('chunk_size', 1, MAX_READ_BLOCK_SIZE_BYTES),
  }
  fields.finish()
  return { header, hashes }
}

/** A line: four spaces, the hash in quotes, a comma, a newline. */
const lineStart = '    "'
const lineEnd = '",\n'
/** The length of one hash in the text: 72 bytes. */
export const HASH_LINE_BYTES: number = lineStart.length + 2 * hashBytes + lineEnd.length
const linesInPiece = 3640

/**
 * The line before the first hash has an odd length. One byte of space in front of it puts every hash at an even
 * address, where one store writes two digits.
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
  const listBytes = count === 0 ? 0 : count * HASH_LINE_BYTES - 1
  return {
    lengthBytes: head.length + listBytes + tail.length,
    // eslint-disable-next-line @typescript-eslint/require-await -- it is made in memory
    async *stream() {
      yield head
      yield* hashPieces(hashes, count)
      yield tail
    },
  }
}

function* hashPieces(hashes: HashList, count: number): Generator<Uint8Array> {
  if (count === 0) return
  const lines = Math.min(count, linesInPiece)
  const memory = new ArrayBuffer(2 * Math.ceil((paddingBytes + lines * HASH_LINE_BYTES) / 2))
  const bytes = Buffer.from(memory)
  const pairs = new Uint16Array(memory)
  const emptyLine = lineStart + ' '.repeat(2 * hashBytes) + lineEnd
  for (let line = 0; line < lines; line++)
    bytes.write(emptyLine, paddingBytes + line * HASH_LINE_BYTES, 'latin1')

  const firstPair = (paddingBytes + lineStart.length) / 2
  for (let index = 0; index < count; index += lines) {
    const inPiece = Math.min(lines, count - index)
    for (let line = 0; line < inPiece; line++) {
      hashes.hexInto(index + line, pairs, firstPair + (line * HASH_LINE_BYTES) / 2)
    }
    const end = paddingBytes + inPiece * HASH_LINE_BYTES
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
