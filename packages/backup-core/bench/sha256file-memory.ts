/**
 * Writes and reads a `_sha256file` of ten million blocks (720 MB of JSON) and an object list of three million, and says
 * how long it took and how much memory the process came to hold.
 *
 *   npx esbuild packages/backup-core/bench/sha256file-memory.ts --bundle --platform=node --format=esm \
 *     --outfile=/tmp/sha256file-memory.mjs && node /tmp/sha256file-memory.mjs [blocks] [objects]
 *
 * The text is not kept: the writer's pieces go to the reader as they are made, which is how a store would give them.
 */
import { createHash } from 'node:crypto'
import process from 'node:process'
import { HashList } from '../src/format/hash-list.js'
import { manifestBody } from '../src/format/manifest-writer.js'
import { parseManifest } from '../src/format/manifest-reader.js'
import type { StoredObject } from '../src/format/manifest.js'
import { dataObjectName } from '../src/format/object-names.js'
import { parseSha256file, sha256fileBody } from '../src/format/sha256file.js'

const blocks = Number(process.argv[2] ?? 10_000_000)
const objectCount = Number(process.argv[3] ?? 0)
const place = { container: 'c', objectName: 'p_sha256file' }

let cpuSecondsBefore = 0

function report(what: string, count: number, bytes: number, startedMs: number): void {
  const seconds = (performance.now() - startedMs) / 1000
  const peakMib = process.resourceUsage().maxRSS / 1024
  const { user, system } = process.cpuUsage()
  const cpuSeconds = (user + system) / 1e6 - cpuSecondsBefore
  cpuSecondsBefore += cpuSeconds
  const rate = bytes / 1e6 / cpuSeconds
  process.stdout.write(
    `${what}: ${count} items, ${bytes} bytes, ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} CPU s (${rate.toFixed(0)} MB a CPU second), peak RSS so far ${peakMib.toFixed(0)} MiB\n`,
  )
}

function manyHashes(count: number): HashList {
  const hashes = new HashList()
  const hash = createHash('sha256').update('block').digest()
  for (let index = 0; index < count; index++) {
    hash.writeUInt32LE(index)
    hashes.put(hashes.length, hash)
  }
  return hashes
}

async function writeHashes(hashes: HashList): Promise<void> {
  const started = performance.now()
  const body = bodyOf(hashes)
  let bytes = 0
  for await (const piece of body.stream()) bytes += piece.length
  if (bytes !== body.lengthBytes) throw new Error(`${bytes} bytes instead of ${body.lengthBytes}`)
  report('write _sha256file', hashes.length, bytes, started)
}

/** Reads from the writer of a list that is not longer than a piece, again and again: one list is in memory, not two. */
async function* endlessHashes(count: number, perRound: number): AsyncGenerator<Uint8Array> {
  const text = await textOf(bodyOf(manyHashes(perRound)))
  const first = text.indexOf('    "')
  const end = text.lastIndexOf('"\n  ]') + 1
  yield text.subarray(0, first)
  const list = text.subarray(first, end)
  for (let done = 0; done < count; done += perRound) {
    if (done > 0) yield Buffer.from(',\n')
    yield list.subarray(0, Math.min(perRound, count - done) * 72 - 2)
  }
  yield text.subarray(end)
}

async function textOf(body: { stream(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of body.stream()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

function bodyOf(hashes: HashList): ReturnType<typeof sha256fileBody> {
  return sha256fileBody(
    {
      backupId: 'b',
      volumeId: 'v',
      backupName: null,
      backupDescription: null,
      createdAt: '2026-01-01 00:00:00+00:00',
      blockSizeBytes: 32768,
    },
    hashes,
  )
}

async function readHashes(): Promise<HashList> {
  const started = performance.now()
  let bytes = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of endlessHashes(blocks, 3640)) {
      bytes += piece.length
      yield piece
    }
  }
  const { hashes } = await parseSha256file(counted(), place)
  if (hashes.length !== blocks) throw new Error(`${hashes.length} hashes instead of ${blocks}`)
  report('read _sha256file', blocks, bytes, started)
  return hashes
}

function manyObjects(): StoredObject[] {
  return Array.from({ length: objectCount }, (_, index) => ({
    name: dataObjectName('volume_v_20260101000000_backup_b', index + 1),
    offsetBytes: index * 32768,
    lengthBytes: 32768,
    compression: 'zlib',
    md5: createHash('md5').update(String(index)).digest('hex'),
  }))
}

async function writeAndReadObjects(): Promise<void> {
  const started = performance.now()
  const body = await manifestBody({
    version: '1.0.0',
    backupId: 'b',
    volumeId: 'v',
    backupName: null,
    backupDescription: null,
    createdAt: '2026-01-01 00:00:00+00:00',
    parentId: null,
    volumeMeta: null,
    extraMetadata: null,
    objects: manyObjects(),
    volumeSizeBytes: null,
    checksummed: false,
  })
  const metadata = await parseManifest(body.stream(), {
    container: 'c',
    objectName: 'volume_v_20260101000000_backup_b_metadata',
  })
  if (metadata.objects.length !== objectCount) throw new Error('objects were lost')
  report('write and read _metadata', objectCount, body.lengthBytes, started)
}

// The list that was read is the one that is written: an engine has one list too.
await writeHashes(await readHashes())
if (objectCount > 0) await writeAndReadObjects()
