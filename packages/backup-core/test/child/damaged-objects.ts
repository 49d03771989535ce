import { promisify } from 'node:util'
import { deflate, deflateSync, inflate } from 'node:zlib'
import { bufferVolume, isBackupError, type Compressor } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, MemoryStore, fault } from '@stowage/backup-testkit'
import { changed, seededBytes } from '../engine/volumes.js'

/*
 * Restores and verifies backups with damaged objects in every memory limit, and prints how often each result came. A
 * result that is wrong ends it with exit code 1, a promise that never settles with 13.
 */

const kib = 1024
const container = 'volumebackups'

const whole: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => promisify(deflate)(bytes),
  decompress: (bytes, expectedLengthBytes) =>
    promisify(inflate)(bytes, { maxOutputLength: Math.max(1, expectedLengthBytes) }),
}

const streaming: Compressor = {
  ...whole,
  async *decompressStream(pieces) {
    const stored: Uint8Array[] = []
    for await (const piece of pieces) stored.push(Uint8Array.from(piece))
    yield await promisify(inflate)(Buffer.concat(stored))
  },
}

/** Halves of it compress, and halves do not. */
const volume = seededBytes(160 * kib)
for (let at = 0; at < volume.length; at += 8 * kib) volume.fill(at / kib, at, at + 4 * kib)
const next = changed(changed(volume, 1 * kib, 3 * kib), 120 * kib, 150 * kib)

interface Kind {
  readonly name: string
  readonly compression?: Compressor
}

const kinds: readonly Kind[] = [
  { name: 'raw' },
  { name: 'compressed', compression: whole },
  { name: 'streamed', compression: streaming },
]

/** A store of a full backup in objects of 64 KiB and less, and an incremental of small ones. */
async function makeStore({
  compression,
}: Kind): Promise<{ store: MemoryStore; id: string; names: string[] }> {
  const driver = new MemoryBackupDriver({
    ...(compression ? { compression } : {}),
    chunkSizeBytes: 64 * kib,
    blockSizeBytes: 512,
  })
  const full = await driver.backup({ volumeId: 'volume' }, volume)
  const record = await driver.backup({ volumeId: 'volume', parent: full }, next)
  const names = driver.store.list(container).filter((name) => /-\d{5}$/.test(name))
  return { store: driver.store, id: record.id, names }
}

function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore()
  for (const name of store.list(container)) copy.set(container, name, store.get(container, name) ?? volume)
  return copy
}

type Damage = (stored: Uint8Array, kind: Kind) => Uint8Array

const damages: Readonly<Record<string, Damage>> = {
  // Of a compressed object mostly bytes that do not decompress, of a raw one a wrong MD5.
  flipped: (stored) => changed(stored, stored.length - 3, stored.length - 2),
  // A form that decompresses to as many bytes, which are others.
  replaced: (stored, { compression }) => {
    if (!compression || stored[0] !== 0x78) return changed(stored, 0, 1)
    const length = 64 * kib
    return deflateSync(seededBytes(length, 9))
  },
  short: (stored) => stored.subarray(0, stored.length - 1),
}

const results = new Map<string, number>()

function count(result: string, expected: readonly string[], what: string): void {
  results.set(result, (results.get(result) ?? 0) + 1)
  if (expected.includes(result)) return
  console.error(`${what}: ${result}, expected ${expected.join(' or ')}`)
  process.exitCode = 1
}

async function outcome(operation: () => Promise<unknown>): Promise<string> {
  try {
    await operation()
    return 'whole'
  } catch (error) {
    return isBackupError(error) ? error.code : String(error)
  }
}

const limits = [1, 512, 1000, 4 * kib, 16 * kib, 40 * kib, 64 * kib - 1, 64 * kib]
for (let limit = 72 * kib; limit <= 400 * kib; limit += 20 * kib) limits.push(limit)

for (const kind of kinds) {
  const { store, id, names } = await makeStore(kind)
  const [first = '', second = '', third = ''] = names
  const last = names.at(-1) ?? ''
  const picks = [[first], [third, last], [first, second], names]
  for (const maxMemoryBytes of [...limits, undefined]) {
    const options = {
      ...(kind.compression ? { compression: kind.compression } : {}),
      ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
    }
    // What must be held whole and does not fit is refused before it is read.
    const mayRefuse = kind.name === 'compressed' && maxMemoryBytes !== undefined && maxMemoryBytes < 128 * kib
    const refusal = mayRefuse ? ['MEMORY_LIMIT'] : []
    for (const [how, damage] of Object.entries(damages)) {
      for (const picked of picks) {
        const copy = copyOf(store)
        for (const name of picked)
          copy.set(container, name, damage(store.get(container, name) ?? volume, kind))
        const driver = new MemoryBackupDriver({ ...options, store: copy })
        const what = `${kind.name} ${how} ${picked.length} of ${names.length} in ${String(maxMemoryBytes)}`
        count(
          await outcome(() => driver.restore(id, bufferVolume())),
          ['OBJECT_CORRUPT', ...refusal],
          `restore ${what}`,
        )
        count(
          await outcome(() => driver.verify(id, { level: 'full' })),
          ['VERIFY_FAILED', ...refusal],
          `verify ${what}`,
        )
      }
    }
    // Damaged on the way: every object once, and whole when it is read again.
    const faults = names.map((name) => fault.corrupt({ object: name, nth: 1 }))
    const faulty = new FaultyBackupDriver(new MemoryBackupDriver({ ...options, store }), {
      ...options,
      faults,
    })
    const target = bufferVolume()
    const result = await outcome(() => faulty.restore(id, target))
    count(result, ['whole', ...refusal], `restore ${kind.name} in ${String(maxMemoryBytes)}`)
    if (result === 'whole' && Buffer.compare(target.bytes, next) !== 0)
      count('wrong bytes', [], `restore ${kind.name} in ${String(maxMemoryBytes)}`)
  }
}
console.log(JSON.stringify(Object.fromEntries(results)))
