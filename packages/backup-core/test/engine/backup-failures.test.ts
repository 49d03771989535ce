import { describe, expect, it } from 'vitest'
import { BackupError, isBackupError, type BackupRecord } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault, type StoreOperation } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const before = seededBytes(9000)
const after = changed(changed(before, 100, 700), 5000, 5200)

interface Scene {
  readonly memory: MemoryBackupDriver
  readonly driver: FaultyBackupDriver
  readonly full: BackupRecord
  /** Every name in the store, before the backup that fails. */
  readonly names: string[]
}

async function scene(): Promise<Scene> {
  const memory = new MemoryBackupDriver(sizes)
  const full = await memory.backup({ volumeId: 'volume', backupId: 'full' }, before)
  return { memory, driver: new FaultyBackupDriver(memory), full, names: memory.store.list('volumebackups') }
}

const backUp = ({ driver, full }: Scene, signal?: AbortSignal): Promise<BackupRecord> =>
  driver.backup(
    { volumeId: 'volume', backupId: 'next', parent: full.id },
    after,
    signal === undefined ? {} : { signal },
  )

/** What a backup calls, and how often. */
async function callsOfABackup(): Promise<Map<StoreOperation, number>> {
  const probe = await scene()
  await backUp(probe)
  const counts = new Map<StoreOperation, number>()
  for (const { operation } of probe.driver.calls) counts.set(operation, (counts.get(operation) ?? 0) + 1)
  return counts
}

describe('a backup that is stopped after its commit, at its last look at its parent', () => {
  /** Stops the backup `next` there, after something else was done. */
  async function stopped(now: Scene, meanwhile: () => Promise<unknown>): Promise<unknown> {
    const controller = new AbortController()
    now.driver.addFault(
      fault.run('objectExists', {
        object: `${now.full.prefix}_metadata`,
        nth: 2,
        run: async () => {
          await meanwhile()
          controller.abort()
        },
      }),
    )
    return backUp(now, controller.signal).catch((error: unknown) => error)
  }

  it('is removed where nothing depends on it', async () => {
    const now = await scene()
    expect(await stopped(now, () => Promise.resolve())).toMatchObject({ code: 'ABORTED' })
    expect(now.memory.store.list('volumebackups')).toEqual(now.names)
  })

  it('is kept where an incremental was made on it, which the error says (A3)', async () => {
    const now = await scene()
    const latest = changed(after, 0, 300)
    const outcome = await stopped(now, async () => {
      await now.memory.backup({ volumeId: 'volume', backupId: 'latest', incremental: true }, latest)
    })
    expect(outcome).toMatchObject({
      code: 'CLEANUP_INCOMPLETE',
      cause: { code: 'ABORTED' },
      message: expect.stringContaining('an incremental depends on it') as string,
    })
    const records = await now.memory.listBackups()
    expect(records.map(({ id, parentId }) => [id, parentId])).toEqual([
      ['full', null],
      ['next', 'full'],
      ['latest', 'next'],
    ])
    await now.memory.verify('latest', { level: 'full' })
  })
})

describe('a backup that fails', () => {
  it('leaves the store as it was, whichever call of the store fails and however late', async () => {
    const counts = await callsOfABackup()
    // Failures of these are not failures of the backup: the reader and the writer have done their work, or never did.
    for (const harmless of ['reader.close', 'writer.abort'] as const) counts.delete(harmless)
    expect(counts.get('writer.close')).toBeGreaterThanOrEqual(4)
    let tried = 0
    for (const [operation, count] of counts) {
      for (let nth = 1; nth <= count; nth += 1) {
        for (const when of ['before', 'after'] as const) {
          const now = await scene()
          const error = new BackupError('STORE_UNAVAILABLE', 'down')
          now.driver.addFault(fault.fail(operation, { nth, when, error }))
          const outcome = await backUp(now).catch((failure: unknown) => failure)
          const what = `${operation} ${nth} ${when}`
          if (isBackupError(outcome)) {
            expect(outcome, what).toBe(error)
            expect(now.memory.store.list('volumebackups'), what).toEqual(now.names)
          } else await now.memory.verify('next', { level: 'full' })
          await now.memory.verify('full', { level: 'full' })
          tried += 1
        }
      }
    }
    expect(tried).toBeGreaterThan(40)
  })

  it('leaves the store as it was when it is aborted at any call', async () => {
    const counts = await callsOfABackup()
    for (const operation of ['getObjectWriter', 'writer.write', 'writer.close', 'reader.stream'] as const) {
      for (let nth = 1; nth <= (counts.get(operation) ?? 0); nth += 1) {
        const now = await scene()
        const controller = new AbortController()
        now.driver.addFault(
          fault.run(operation, {
            nth,
            run: () => {
              controller.abort(new Error('the operator said stop'))
            },
          }),
        )
        const outcome = await backUp(now, controller.signal).catch((failure: unknown) => failure)
        expect(isBackupError(outcome, 'ABORTED'), `${operation} ${nth}`).toBe(true)
        expect(now.memory.store.list('volumebackups'), `${operation} ${nth}`).toEqual(now.names)
      }
    }
  })

  it('ends when it is aborted while the store hangs', async () => {
    for (const operation of ['putContainer', 'writer.write', 'writer.close', 'getObjectReader'] as const) {
      const now = await scene()
      const controller = new AbortController()
      now.driver.addFault(fault.hang(operation))
      setTimeout(() => {
        controller.abort()
      }, 20)
      await expect(backUp(now, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' })
    }
  })

  it('says what it could not remove, with the first failure as the cause', async () => {
    const now = await scene()
    const error = new BackupError('NO_SPACE', 'The disk is full.')
    now.driver.addFault(fault.fail('writer.close', { object: /_sha256file$/, error }))
    now.driver.addFault(fault.fail('deleteObject', { object: /-00001$/ }))
    await expect(backUp(now)).rejects.toMatchObject({
      code: 'CLEANUP_INCOMPLETE',
      cause: error,
      details: {
        leftovers: expect.arrayContaining([expect.stringMatching(/backup_next-00001$/)]) as string[],
      },
    })
    expect((await now.memory.listBackups()).map(({ id }) => id)).toEqual(['full'])
  })

  it('commits last: nothing is written after the metadata object', async () => {
    const now = await scene()
    await backUp(now)
    const closes = now.driver.calls.filter(({ operation }) => operation === 'writer.close')
    expect(closes.at(-1)?.objectName).toMatch(/_metadata$/)
    expect(closes.at(-2)?.objectName).toMatch(/_sha256file$/)
  })

  it('is refused when its parent was deleted meanwhile', async () => {
    const now = await scene()
    now.driver.addFault(
      fault.run('writer.close', {
        object: /_sha256file$/,
        run: () => {
          now.memory.store.delete('volumebackups', `${now.full.prefix}_metadata`)
        },
      }),
    )
    await expect(backUp(now)).rejects.toMatchObject({ code: 'CHAIN_INVALID' })
    expect(now.memory.store.list('volumebackups').filter((name) => name.includes('backup_next'))).toEqual([])
  })

  it('is refused before anything is written when it cannot be right', async () => {
    const now = await scene()
    const { driver, memory } = now
    const refusals: [string, () => Promise<unknown>][] = [
      ['BACKUP_EXISTS', () => driver.backup({ volumeId: 'volume', backupId: 'full' }, after)],
      ['BACKUP_NOT_FOUND', () => driver.backup({ volumeId: 'volume', parent: 'nobody' }, after)],
      ['CHAIN_INVALID', () => driver.backup({ volumeId: 'another', parent: 'full' }, after)],
      ['OPTION_INVALID', () => driver.backup({ volumeId: '../volume' }, after)],
      ['OPTION_INVALID', () => driver.backup({ volumeId: 'volume', backupId: 'a/b' }, after)],
      ['OPTION_INVALID', () => driver.backup({ volumeId: 'volume', container: '../out' }, after)],
      ['OPTION_INVALID', () => driver.backup({ volumeId: 'volume' }, 'disk.img' as never)],
      ['OPTION_INVALID', () => driver.backup({ volumeId: 'volume', volumeMetadata: 'not json' }, after)],
    ]
    for (const [code, outcome] of refusals) {
      await expect(outcome(), code).rejects.toMatchObject({ code })
    }
    expect(driver.calls.filter(({ operation }) => operation === 'getObjectWriter')).toEqual([])
    expect(memory.store.list('volumebackups')).toEqual(now.names)
  })

  it('takes the block size of its parent, and refuses another that was asked for', async () => {
    const { memory, full } = await scene()
    const { store } = memory
    const silent = new MemoryBackupDriver({ store })
    const record = await silent.backup({ volumeId: 'volume', parent: full }, after)
    expect(record.objectCount).toBe(2)
    await silent.verify(record, { level: 'full' })
    const asked = new MemoryBackupDriver({ store, blockSizeBytes: 1024, chunkSizeBytes: 2048 })
    await expect(asked.backup({ volumeId: 'volume', parent: full }, after)).rejects.toMatchObject({
      code: 'BLOCK_SIZE_CHANGED',
      message:
        'Hash block size has changed since the last backup. New hash block size: 1024. Old hash block size: 512. Do a full backup.',
    })
  })

  it('refuses a volume that grew in strict mode alone, in Cinder’s words', async () => {
    const { memory, full } = await scene()
    const grown = seededBytes(9001)
    const strict = new MemoryBackupDriver({ ...sizes, store: memory.store, strict: 'cinder' })
    await expect(strict.backup({ volumeId: 'volume', parent: full }, grown)).rejects.toMatchObject({
      code: 'VOLUME_GREW',
      message: 'Volume size increased since the last backup. Do a full backup.',
    })
    const record = await memory.backup({ volumeId: 'volume', parent: full }, grown)
    expect(record.sizeBytes).toBe(9001)
  })

  it('refuses a stream that turns out to have grown in strict mode, and leaves nothing of it', async () => {
    const { memory, full, names } = await scene()
    const strict = new MemoryBackupDriver({ ...sizes, store: memory.store, strict: 'cinder' })
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield seededBytes(9001)
    }
    await expect(strict.backup({ volumeId: 'volume', parent: full }, stream())).rejects.toMatchObject({
      code: 'VOLUME_GREW',
    })
    expect(memory.store.list('volumebackups')).toEqual(names)
  })

  it('is reported by its own error, and a success by its record, when the source does not close', async () => {
    const { memory } = await scene()
    const source = {
      openSource: () =>
        Promise.resolve({
          sizeBytes: 4,
          seekable: true,
          read: (into: Uint8Array) => Promise.resolve(into.fill(1).length),
          close: () => Promise.reject(new Error('it does not close')),
        }),
    }
    expect(await memory.backup({ volumeId: 'other' }, source)).toMatchObject({ sizeBytes: 4 })
    await expect(memory.backup({ volumeId: 'other', backupId: 'full' }, source)).rejects.toMatchObject({
      code: 'BACKUP_EXISTS',
    })
  })

  it('refuses a chunk size that the block size does not divide, where strict in Cinder’s words first', () => {
    const sizes = { chunkSizeBytes: 1000, blockSizeBytes: 512 }
    const why =
      'Option `chunkSizeBytes` is 1000: it must be a multiple of the block size, which is 512 bytes.'
    const messageOf = (options: ConstructorParameters<typeof MemoryBackupDriver>[0]): string => {
      try {
        new MemoryBackupDriver(options)
        return 'none'
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(messageOf(sizes)).toBe(why)
    expect(messageOf({ ...sizes, strict: 'cinder' })).toBe(
      `Chunk size is not multiple of block size for creating hash. ${why}`,
    )
  })
})
