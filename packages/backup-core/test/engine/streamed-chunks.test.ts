import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import {
  bufferVolume,
  type ObjectOptions,
  type ObjectWriter,
  type RandomAccessSource,
  type ReplayableBody,
} from '@stowage/backup-core'
import { MemoryBackupDriver, type MemoryDriverOptions } from '@stowage/backup-testkit'
import { zlib } from '@stowage/compression-zlib'
import { seededBytes } from './volumes.js'

const mib = 2 ** 20
/** Chunks that are larger than what is held of one. */
const sizes = { blockSizeBytes: 32 * 1024, chunkSizeBytes: 8 * mib, container: 'backups' }
const volume = seededBytes(19 * mib + 12_345)
volume.fill(0, 9 * mib, 12 * mib)

/** A store whose writers take whole bodies, as one over a network does: what a test makes of sending one. */
class SendingDriver extends MemoryBackupDriver {
  override readonly capabilities = { streamingReads: true, rangedReads: true, streamingBodies: true }
  readonly #send: (body: ReplayableBody, put: (bytes: Uint8Array) => void) => Promise<void>

  constructor(
    options: MemoryDriverOptions,
    send: (body: ReplayableBody, put: (bytes: Uint8Array) => void) => Promise<void>,
  ) {
    super(options)
    this.#send = send
  }

  override getObjectWriter(container: string, name: string, options: ObjectOptions): Promise<never> {
    let body: ReplayableBody | undefined
    const put = (bytes: Uint8Array): void => {
      options.signal?.throwIfAborted()
      this.store.set(container, name, Buffer.from(bytes))
    }
    const writer: ObjectWriter = {
      write: () => Promise.reject(new Error('the body is what is wanted')),
      writeFrom: (given) => {
        body = given
        return Promise.resolve()
      },
      close: () => (body ? this.#send(body, put) : Promise.reject(new Error('no body'))),
      abort: () => {
        this.store.delete(container, name)
        return Promise.resolve()
      },
    }
    return Promise.resolve(writer as never)
  }
}

async function produced(body: ReplayableBody): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of body.stream()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

async function restored(driver: MemoryBackupDriver, id: string): Promise<Uint8Array> {
  const target = bufferVolume()
  await driver.restore(id, target)
  return target.bytes
}

function sha256Hex(bytes: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(bytes ?? new Uint8Array(0))
    .digest('hex')
}

const notReadWhole = {
  code: 'STORE_FAILED',
  message: expect.stringContaining('without having read all of it') as string,
}

/** A source that says how much was read of it, and lets a test have its way first. */
function watched(
  bytes: Uint8Array,
  before: (offset: number) => Promise<void> = () => Promise.resolve(),
): RandomAccessSource & { readBytes: number } {
  const source = {
    size: bytes.length,
    readBytes: 0,
    read: async (offset: number, length: number) => {
      await before(offset)
      source.readBytes += length
      return Uint8Array.from(bytes.subarray(offset, offset + length))
    },
  }
  return source
}

describe('a full backup that is not compressed', () => {
  it('has the same objects whether its chunks are streamed or held', async () => {
    const layout = async (driver: MemoryBackupDriver): Promise<unknown> => {
      const progress: number[] = []
      const record = await driver.backup({ volumeId: 'volume', backupId: 'full' }, bufferVolume(volume), {
        onProgress: ({ done }) => progress.push(done),
      })
      expect(progress).toEqual([...progress].sort((a, b) => a - b))
      expect(progress.at(-1)).toBe(volume.length)
      expect(Buffer.compare(await restored(driver, record.id), volume)).toBe(0)
      await driver.verify(record, { level: 'full' })
      const names = driver.store.list('backups').sort()
      return names.map((name) => [name, sha256Hex(driver.store.get('backups', name))])
    }
    const clock = (): Date => new Date('2026-01-02T03:04:05Z')
    class Holding extends MemoryBackupDriver {
      override readonly capabilities = { streamingReads: true, rangedReads: true }
    }
    const held = await layout(new Holding({ ...sizes, clock }))
    expect(await layout(new MemoryBackupDriver({ ...sizes, clock }))).toEqual(held)
    const send = async (body: ReplayableBody, put: (bytes: Uint8Array) => void): Promise<void> => {
      put(await produced(body))
    }
    expect(await layout(new SendingDriver({ ...sizes, clock }, send))).toEqual(held)
  })

  it('does not read what the source says that it does not hold', async () => {
    const data = [
      { offsetBytes: 3 * mib + 100, lengthBytes: 5 * mib },
      { offsetBytes: 12 * mib, lengthBytes: mib },
    ]
    const sparse = new Uint8Array(volume.length)
    for (const { offsetBytes, lengthBytes } of data) sparse.set(seededBytes(lengthBytes), offsetBytes)
    const source = { ...watched(sparse), extents: () => data }
    let readBytes = 0
    source.read = (offset, length) => {
      readBytes += length
      return Promise.resolve(sparse.subarray(offset, offset + length))
    }
    const driver = new MemoryBackupDriver(sizes)
    const record = await driver.backup({ volumeId: 'volume' }, source)
    expect(readBytes).toBe(6 * mib)
    expect(Buffer.compare(await restored(driver, record.id), sparse)).toBe(0)
    await driver.verify(record, { level: 'full' })
  })

  it('is read no further than a few pieces ahead of a store that stands still', async () => {
    const source = watched(volume)
    let release: () => void = () => undefined
    const standing = new Promise<void>((resolve) => {
      release = resolve
    })
    const driver = new SendingDriver({ ...sizes, concurrency: 2 }, async (body, put) => {
      await standing
      put(await produced(body))
    })
    const backup = driver.backup({ volumeId: 'volume' }, source)
    await vi.waitUntil(() => source.readBytes >= 2 * 6 * mib, { timeout: 10_000 })
    await sleep(50)
    expect(source.readBytes).toBe(2 * 6 * mib)
    release()
    const record = await backup
    expect(source.readBytes).toBe(volume.length)
    expect(Buffer.compare(await restored(driver, record.id), volume)).toBe(0)
  })

  it('goes on with other chunks while one is sent again, and has them in the order of the volume', async () => {
    let ended = 0
    const driver = new SendingDriver({ ...sizes, concurrency: 2 }, async (body, put) => {
      const bytes = await produced(body)
      const isFirst = bytes.equals(volume.subarray(0, sizes.chunkSizeBytes))
      if (isFirst) await vi.waitUntil(() => ended === 2, { timeout: 10_000 })
      put(bytes)
      ended += 1
    })
    const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(volume))
    expect(Buffer.compare(await restored(driver, record.id), volume)).toBe(0)
    await driver.verify(record, { level: 'full' })
  })

  it('keeps the chunk size where memory holds a few pieces and no chunk', async () => {
    const driver = new MemoryBackupDriver({ ...sizes, maxMemoryBytes: 7 * mib })
    const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(volume))
    expect(record.objectCount).toBe(3)
    const less = new MemoryBackupDriver({ ...sizes, maxMemoryBytes: 5 * mib })
    const smaller = await less.backup({ volumeId: 'volume' }, bufferVolume(volume))
    expect(smaller.objectCount).toBeGreaterThan(3)
    expect(Buffer.compare(await restored(less, smaller.id), volume)).toBe(0)
  })

  it('is read again for each attempt, and its hashes are true of the one that was stored', async () => {
    const live = Uint8Array.from(volume)
    let attempts = 0
    const driver = new SendingDriver(sizes, async (body, put) => {
      if (body.lengthBytes === sizes.chunkSizeBytes) {
        // Cut off in its middle, as by a connection that breaks; then to its end, and refused.
        for await (const piece of body.stream()) {
          expect(piece.length).toBe(mib)
          attempts += 1
          break
        }
        await produced(body)
        live.fill(attempts, mib, mib + 10)
        live.fill(attempts, 15 * mib, 16 * mib)
      }
      put(await produced(body))
    })
    const record = await driver.backup({ volumeId: 'volume' }, watched(live))
    expect(attempts).toBe(2)
    await driver.verify(record, { level: 'full' })
  })

  it('gives the MD5 of what was produced last, and none in the middle of it', async () => {
    const seen: (string | undefined)[] = []
    const driver = new SendingDriver({ ...sizes, concurrency: 1 }, async (body, put) => {
      if (body.lengthBytes === sizes.chunkSizeBytes) {
        const pieces = body.stream()[Symbol.asyncIterator]()
        await pieces.next()
        seen.push(await body.md5OfStream?.())
        const bytes = await produced(body)
        seen.push(await body.md5OfStream?.())
        put(bytes)
        // Whoever goes on with a stream that another one ended gets nothing that is not its own.
        await expect(pieces.next()).rejects.toMatchObject({ code: 'ABORTED' })
      } else put(await produced(body))
    })
    const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(volume))
    await driver.verify(record, { level: 'full' })
    expect(seen).toEqual([undefined, expect.stringMatching(/^[0-9a-f]{32}$/), undefined, seen[3]])
    expect(seen[3]).not.toBe(seen[1])
  })

  it('fails where the store says that it has a chunk of which it did not take all', async () => {
    const driver = new SendingDriver(sizes, async (body, put) => {
      for await (const piece of body.stream()) {
        put(piece)
        break
      }
    })
    const outcome = driver.backup({ volumeId: 'volume' }, bufferVolume(volume))
    await expect(outcome).rejects.toMatchObject(notReadWhole)
    expect(driver.store.list('backups')).toEqual([])
  })

  it('fails where the store takes nothing of a chunk whose zeros were read before', async () => {
    const late = new Uint8Array(8 * mib)
    late.set([1], late.length - 100)
    const driver = new SendingDriver({ ...sizes, decompressors: [zlib()] }, (body, put) => {
      put(new Uint8Array(body.lengthBytes))
      return Promise.resolve()
    })
    const outcome = driver.backup({ volumeId: 'volume' }, bufferVolume(late))
    await expect(outcome).rejects.toMatchObject(notReadWhole)
    expect(driver.store.list('backups')).toEqual([])
  })

  it('has the zeros before its data where the store asks for it once or again', async () => {
    const late = new Uint8Array(17 * mib)
    for (const at of [3 * mib + 5, 8 * mib, 16 * mib - 1]) late.set([1, 2, 3], at)
    for (const attempts of [1, 3]) {
      const driver = new SendingDriver({ ...sizes, decompressors: [zlib()] }, async (body, put) => {
        for (let attempt = 1; attempt < attempts; attempt += 1) await produced(body)
        put(await produced(body))
      })
      const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(late))
      expect(Buffer.compare(await restored(driver, record.id), late)).toBe(0)
      await driver.verify(record, { level: 'full' })
    }
  })

  it('fails with what the source says, closes it, and leaves nothing', async () => {
    const failing = watched(volume, (offset) =>
      offset >= 13 * mib ? Promise.reject(new Error('the disk is gone')) : Promise.resolve(),
    )
    for (const driver of [
      new MemoryBackupDriver(sizes),
      new SendingDriver(sizes, async (body, put) => {
        put(await produced(body))
      }),
    ]) {
      const outcome = driver.backup({ volumeId: 'volume' }, failing)
      await expect(outcome).rejects.toMatchObject({ code: 'SOURCE_READ' })
      expect(driver.store.list('backups')).toEqual([])
    }
    const shrinking = watched(volume)
    shrinking.read = (offset, length) =>
      Promise.resolve(volume.subarray(offset, Math.min(offset + length, 17 * mib)))
    const driver = new MemoryBackupDriver(sizes)
    const outcome = driver.backup({ volumeId: 'volume' }, shrinking)
    await expect(outcome).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(driver.store.list('backups')).toEqual([])
  })

  it('ends with ABORTED while it waits for its source, and leaves nothing', async () => {
    const stop = new AbortController()
    const driver = new MemoryBackupDriver(sizes)
    const source = watched(volume, async (offset) => {
      if (offset < 10 * mib) return
      stop.abort()
      await sleep(5)
    })
    const outcome = driver.backup({ volumeId: 'volume' }, source, { signal: stop.signal })
    await expect(outcome).rejects.toMatchObject({ code: 'ABORTED' })
    expect(driver.store.list('backups')).toEqual([])
  })
})
