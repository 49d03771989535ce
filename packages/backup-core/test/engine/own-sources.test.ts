import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  bufferVolume,
  isBackupError,
  type OpenSource,
  type Progress,
  type VolumeSource,
} from '@stowage/backup-core'
import { changed, seededBytes } from './volumes.js'

// Sources and targets of a caller's own may break every promise of their interface.

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const volume = seededBytes(9000)

/** What a source answers, in JavaScript: anything. */
type Answers = { readonly [Key in keyof OpenSource]?: unknown }

/** A source of {@link volume} with other answers, and what is read of it. */
function sourceWith(answers: Answers, bytes = volume): { source: VolumeSource; reads: () => number } {
  let reads = 0
  const open = {
    sizeBytes: bytes.length,
    seekable: true,
    read: (into: Uint8Array, offsetBytes: number): Promise<number> => {
      reads += 1
      const part = bytes.subarray(offsetBytes, offsetBytes + into.length)
      into.set(part)
      return Promise.resolve(part.length)
    },
    close: () => Promise.resolve(),
    ...answers,
  }
  return { source: { openSource: () => Promise.resolve(open as OpenSource) }, reads: () => reads }
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBackupError(error)) throw new Error('did not fail with a BackupError', { cause: error })
  return error
}

let driver: MemoryBackupDriver
beforeEach(() => {
  driver = new MemoryBackupDriver(sizes)
})

const objects = (): string[] => driver.store.containers().flatMap((container) => driver.store.list(container))

describe('a source whose sizeBytes is', () => {
  it.each<[unknown, string]>([
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [2 ** 53, '9007199254740992'],
    ['9000', 'a string'],
    [null, 'null'],
    [9000n, 'a bigint'],
  ])('%s is refused before it is read, and closed (A6)', async (sizeBytes, shown) => {
    for (const parent of [null, await driver.backup({ volumeId: 'v' }, volume)]) {
      const stored = objects()
      let closes = 0
      const close = (): Promise<void> => Promise.resolve(void (closes += 1))
      const { source, reads } = sourceWith({ sizeBytes, close })
      const error = await failure(driver.backup({ volumeId: 'v', parent }, source))
      expect(error).toMatchObject({ code: 'OPTION_INVALID' })
      expect(error.message).toContain(`not ${shown}.`)
      expect([reads(), closes]).toEqual([0, 1])
      expect(objects()).toEqual(stored)
    }
  })
})

describe('a source whose read() resolves to', () => {
  const answers: [unknown, string][] = [
    [undefined, 'undefined'],
    [Number.NaN, 'NaN'],
    [2049, '2049'],
    [-1, '-1'],
    [0.5, '0.5'],
    ['512', 'a string'],
    [null, 'null'],
  ]
  const kinds: [string, Answers][] = [
    ['a seekable source', {}],
    ['a stream of known size', { seekable: false }],
    ['a stream', { seekable: false, sizeBytes: undefined }],
  ]
  const cases = answers.flatMap(([answer, shown]) =>
    kinds.map(([kind, more]) => [answer, kind, more, shown] as const),
  )

  it.each(cases)('%s is refused, as %s, and nothing is kept (A7)', async (answer, _kind, more, shown) => {
    for (const parent of [null, await driver.backup({ volumeId: 'v' }, volume)]) {
      const stored = objects()
      const { source } = sourceWith({ ...more, read: () => Promise.resolve(answer) })
      const error = await failure(driver.backup({ volumeId: 'v', parent }, source))
      expect(error).toMatchObject({ code: 'SOURCE_READ', details: { offsetBytes: 0 } })
      expect(error.message).toMatch(
        new RegExp(`read\\(\\) returned ${shown} at byte 0, expected a whole number from 0 to [0-9]+`),
      )
      expect(objects()).toEqual(stored)
    }
  })
})

describe('a source whose methods fail', () => {
  const fail = (): never => {
    throw new Error('broken')
  }
  const throwing = (): Iterable<never> => ({ [Symbol.iterator]: () => ({ next: fail }) })

  it.each<[string, Answers]>([
    ['read() that throws', { read: fail }],
    ['read() that rejects', { read: () => Promise.reject(new Error('broken')) }],
    ['changeWarning() that throws', { changeWarning: fail }],
    ['changeWarning() that gives a number', { changeWarning: () => 5 }],
    ['extents() that throws', { extents: fail }],
    ['extents() that gives null', { extents: () => null }],
    ['extents() that gives a number', { extents: () => 5 }],
    ['extents() that gives a list of null', { extents: () => [null] }],
    ['extents() whose list throws', { extents: throwing }],
    ['changedSince() that throws', { changedSince: fail }],
    ['changedSince() that gives a number', { changedSince: () => 5 }],
    ['changedSince() whose list throws', { changedSince: () => Promise.resolve(throwing()) }],
  ])('%s is SOURCE_READ, and nothing is kept (A8)', async (_what, answers) => {
    const parent = await driver.backup({ volumeId: 'v' }, volume)
    const stored = objects()
    const error = await failure(driver.backup({ volumeId: 'v', parent }, sourceWith(answers).source))
    expect(error).toMatchObject({ code: 'SOURCE_READ' })
    expect(objects()).toEqual(stored)
  })

  it.each<[string, () => unknown]>([
    ['throws', fail],
    ['gives null', () => null],
    ['gives an object without methods', () => ({})],
  ])('openSource() that %s is SOURCE_READ (A8)', async (_what, openSource) => {
    const backup = driver.backup({ volumeId: 'v' }, { openSource } as unknown as VolumeSource)
    expect(await failure(backup)).toMatchObject({ code: 'SOURCE_READ' })
  })

  it('close() that throws after the commit does not undo the backup (A8)', async () => {
    const { id } = await driver.backup({ volumeId: 'v' }, sourceWith({ close: fail }).source)
    expect(await driver.verify(id, { level: 'full' })).toMatchObject({ level: 'full' })
  })

  it('has what it threw as the cause of the error (A8)', async () => {
    const cause = new Error('the disk is gone')
    const { source } = sourceWith({ read: () => Promise.reject(cause) })
    expect(await failure(driver.backup({ volumeId: 'v' }, source))).toMatchObject({
      message: 'Cannot read the source: read() failed: the disk is gone.',
      cause,
    })
  })
})

describe('a source that is read in order', () => {
  it('is read whole, whatever it says of its data and its changes', async () => {
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(Buffer.from(volume)))
    const after = changed(volume, 4100, 4200)
    let atBytes = 0
    const read = (into: Uint8Array): Promise<number> => {
      const part = after.subarray(atBytes, atBytes + into.length)
      into.set(part)
      atBytes += part.length
      return Promise.resolve(part.length)
    }
    const hints = {
      extents: () => [{ offsetBytes: 4096, lengthBytes: 512 }],
      changedSince: () => Promise.resolve([{ offsetBytes: 4100, lengthBytes: 100 }]),
    }
    const { source } = sourceWith({ seekable: false, read, ...hints }, after)
    const incremental = await driver.backup({ volumeId: 'v', parent: id }, source)
    const target = bufferVolume()
    await driver.restore(incremental, target)
    expect(Buffer.compare(target.bytes, after)).toBe(0)
  })

  it('is any of unknown size, which ends where a read returns fewer bytes', async () => {
    const { source } = sourceWith({ sizeBytes: undefined, seekable: true })
    const { sizeBytes } = await driver.backup({ volumeId: 'v' }, source, {
      signal: AbortSignal.timeout(20_000),
    })
    expect(sizeBytes).toBe(volume.length)
  })
})

it('null from changeWarning() gives no warning', async () => {
  const warnings: unknown[] = []
  const { source } = sourceWith({ changeWarning: () => null }, changed(volume, 0, 10))
  await driver.backup({ volumeId: 'v' }, source, { onWarning: (warning) => warnings.push(warning) })
  expect(warnings).toEqual([])
})

it('a listener of warnings that throws neither fails nor hides an operation', async () => {
  const { source } = sourceWith({ changeWarning: () => Promise.resolve('it changed') })
  let warnings = 0
  const onWarning = (): never => {
    warnings += 1
    throw new Error('the listener failed')
  }
  const { id } = await driver.backup({ volumeId: 'v' }, source, { onWarning })
  const other = new MemoryBackupDriver({ ...sizes, onWarning })
  await other.backup({ volumeId: 'v' }, source)
  expect([warnings, (await driver.getBackup(id)).id]).toEqual([2, id])
})

describe('a target whose methods fail', () => {
  const fail = (): never => {
    throw new Error('broken')
  }
  const opened = (answers: object): object => ({
    readsAsZeros: false,
    write: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
    discard: () => Promise.resolve(),
    ...answers,
  })

  it.each<[string, () => unknown]>([
    ['openTarget() that throws', fail],
    ['openTarget() that gives null', () => null],
    ['openTarget() that gives an object without methods', () => ({})],
    ['write() that throws', () => opened({ write: fail })],
    ['finish() that throws', () => opened({ finish: fail })],
    ['close() that throws', () => opened({ close: fail })],
    ['write(), close() and discard() that throw', () => opened({ write: fail, close: fail, discard: fail })],
  ])('%s is TARGET_WRITE (A8)', async (_what, openTarget) => {
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(Buffer.from(volume)))
    const restore = driver.restore(id, { openTarget } as never)
    expect(await failure(restore)).toMatchObject({ code: 'TARGET_WRITE' })
  })

  it('is not written any further after an abort', async () => {
    const large = new MemoryBackupDriver({ chunkSizeBytes: 64 * 1024 * 1024 })
    const { id } = await large.backup({ volumeId: 'v' }, seededBytes(40 * 1024 * 1024))
    const controller = new AbortController()
    let writes = 0
    const write = (): Promise<void> => {
      writes += 1
      controller.abort()
      return Promise.resolve()
    }
    const openTarget = (): unknown => opened({ write })
    const restore = large.restore(id, { openTarget } as never, { signal: controller.signal })
    expect(await failure(restore)).toMatchObject({ code: 'ABORTED' })
    expect(writes).toBe(1)
  })

  it('is closed once, also where close() throws', async () => {
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(Buffer.from(volume)))
    let closes = 0
    const close = (): never => {
      closes += 1
      throw new Error('broken')
    }
    await failure(driver.restore(id, { openTarget: () => opened({ close }) } as never))
    expect(closes).toBe(1)
  })

  it('stays as it is where it is complete, and only the listener of the progress throws', async () => {
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(Buffer.from(volume)))
    const target = bufferVolume()
    let discards = 0
    const openTarget: typeof target.openTarget = async (requirements) => {
      const open = await target.openTarget(requirements)
      return {
        readsAsZeros: open.readsAsZeros,
        write: (part, offsetBytes) => open.write(part, offsetBytes),
        finish: () => open.finish(),
        close: () => open.close(),
        discard: () => Promise.resolve(void (discards += 1)),
      }
    }
    const onProgress = ({ percent, step }: Progress): void => {
      if (percent === 100 && step === undefined) throw new Error('the listener failed')
    }
    await driver.restore(id, { openTarget }, { onProgress })
    expect([discards, Buffer.compare(target.bytes, volume)]).toEqual([0, 0])
  })
})
