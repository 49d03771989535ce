import { describe, expect, it } from 'vitest'
import { BackupError, ChunkedBackupDriver, type DriverCapabilities } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { seededBytes } from './volumes.js'

const sizes = { chunkSizeBytes: 4096, blockSizeBytes: 512 }
const volume = seededBytes(10_000)

/** The smallest driver, with capabilities that a test chooses. */
function driverWith(capabilities: DriverCapabilities, hooks: object = {}): ChunkedBackupDriver {
  const inner = new MemoryBackupDriver(sizes)
  class Chosen extends ChunkedBackupDriver {
    constructor() {
      super({}, { ...sizes, container: 'c', serviceName: 'test.Chosen', capabilities })
    }
    putContainer = inner.putContainer.bind(inner)
    getContainerEntries = inner.getContainerEntries.bind(inner)
    getObjectWriter = inner.getObjectWriter.bind(inner)
    getObjectReader = inner.getObjectReader.bind(inner)
    deleteObject = inner.deleteObject.bind(inner)
    generateObjectNamePrefix = inner.generateObjectNamePrefix.bind(inner)
    updateContainerName = inner.updateContainerName.bind(inner)
    getExtraMetadata = inner.getExtraMetadata.bind(inner)
    checkForSetupError = inner.checkForSetupError.bind(inner)
  }
  Object.assign(Chosen.prototype, hooks)
  return new Chosen()
}

const hooks = [
  ['containerListing', 'getContainers'],
  ['modificationTimes', 'objectModifiedAt'],
  ['objectInfo', 'objectInfo'],
  ['temporaryObjects', 'removeTemporaries'],
  ['localFiles', 'ownsPath'],
] as const

describe('a capability of a driver', () => {
  it.each(hooks)('%s is refused at construction without %s()', (capability, hook) => {
    expect(() => driverWith({ [capability]: true })).toThrow(
      `The driver Chosen has no ${hook}(), although the capability ${capability} is declared.`,
    )
  })

  it.each(hooks)('%s has to be declared by a driver that overrides %s()', (capability, hook) => {
    const override = { [hook]: () => Promise.resolve(undefined) }
    expect(() => driverWith({}, override)).toThrow(
      `The driver Chosen has ${hook}(), but the capability ${capability} is not declared.`,
    )
    expect(driverWith({ [capability]: true }, override).capabilities).toEqual({ [capability]: true })
  })

  it('is that of the inner driver for a wrapper, which overrides all hooks', () => {
    const inner = driverWith({ streamingReads: true, rangedReads: true })
    expect(new FaultyBackupDriver(inner).capabilities).toEqual(inner.capabilities)
  })
})

describe('a hook that returns no promise', () => {
  it.each(['generateObjectNamePrefix', 'updateContainerName'] as const)(
    '%s, where it throws, is STORE_FAILED as any other',
    async (hook) => {
      const driver = driverWith({})
      Object.assign(driver, {
        [hook]: () => {
          throw new TypeError('broken')
        },
      })
      await expect(driver.backup({ volumeId: 'v' }, volume)).rejects.toMatchObject({
        code: 'STORE_FAILED',
        cause: expect.any(TypeError) as TypeError,
      })
    },
  )
})

describe('a capability of readers and writers', () => {
  it.each([
    ['streamingReads', 'stream', { rangedReads: true }],
    ['rangedReads', 'readRange', { streamingReads: true }],
  ] as const)('%s has to be declared where readers have %s()', async (capability, method, declared) => {
    const driver = driverWith(declared)
    const { id } = await driver.backup({ volumeId: 'v' }, volume)
    await expect(driver.verify(id)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: `A reader of the driver has ${method}(), but the capability ${capability} is not declared. Declare it, or remove ${method}().`,
    })
  })

  it.each(['stream', 'readRange'] as const)(
    'is refused where readers lack %s(), and the reader is closed',
    async (method) => {
      const store = new MemoryStore()
      let closed = 0
      class Lacking extends MemoryBackupDriver {
        override async getObjectReader(...call: Parameters<MemoryBackupDriver['getObjectReader']>) {
          const reader = await super.getObjectReader(...call)
          Object.defineProperty(reader, method, { value: undefined })
          Object.defineProperty(reader, 'close', { value: () => Promise.resolve((closed += 1)) })
          return reader
        }
      }
      const { id } = await new MemoryBackupDriver({ ...sizes, store }).backup({ volumeId: 'v' }, volume)
      await expect(new Lacking({ ...sizes, store }).verify(id)).rejects.toThrow(
        `A reader of the driver has no ${method}(), although the capability`,
      )
      expect(closed).toBe(1)
    },
  )

  it('streamingBodies is refused where writers lack writeFrom(), and nothing is stored', async () => {
    const store = new MemoryStore()
    class Lacking extends MemoryBackupDriver {
      override readonly capabilities = { streamingReads: true, rangedReads: true, streamingBodies: true }
    }
    await expect(new Lacking({ ...sizes, store }).backup({ volumeId: 'v' }, volume)).rejects.toThrow(
      'A writer of the driver has no writeFrom(), although the capability streamingBodies is declared.',
    )
    expect(store.list('volumebackups')).toEqual([])
  })
})

describe('an error of a reader or a writer', () => {
  const broken = (): never => {
    throw new Error('the clean-up failed, too')
  }

  it('is the one that is reported where close() fails as well', async () => {
    const inner = new MemoryBackupDriver(sizes)
    const { id } = await inner.backup({ volumeId: 'v' }, volume)
    const read = (): Promise<never> => Promise.reject(new BackupError('OBJECT_CORRUPT', 'it is damaged'))
    class Closing extends MemoryBackupDriver {
      override async getObjectReader(...call: Parameters<MemoryBackupDriver['getObjectReader']>) {
        const reader = await super.getObjectReader(...call)
        return call[1].endsWith('-00001') ? Object.assign(reader, { read, close: broken }) : reader
      }
    }
    const driver = new Closing({ ...sizes, store: inner.store })
    await expect(driver.verify(id, { level: 'full' })).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      details: { problems: [{ code: 'OBJECT_CORRUPT' }] },
    })
  })

  it('is the one that is reported where abort() fails as well', async () => {
    class Aborting extends MemoryBackupDriver {
      override async getObjectWriter(...call: Parameters<MemoryBackupDriver['getObjectWriter']>) {
        const writer = await super.getObjectWriter(...call)
        const full = (): Promise<never> => Promise.reject(new BackupError('NO_SPACE', 'it is full'))
        return Object.assign(writer, { write: full, abort: broken })
      }
    }
    await expect(new Aborting(sizes).backup({ volumeId: 'v' }, volume)).rejects.toMatchObject({
      code: 'NO_SPACE',
    })
  })
})

it('the first error of a write is reported, although others fail while its writer is aborted', async () => {
  let abortBegan: () => void = () => undefined
  const aborting = new Promise<void>((resolve) => (abortBegan = resolve))
  let otherFailed: () => void = () => undefined
  const failed = new Promise<void>((resolve) => (otherFailed = resolve))
  class Racing extends MemoryBackupDriver {
    override async getObjectWriter(...call: Parameters<MemoryBackupDriver['getObjectWriter']>) {
      const writer = await super.getObjectWriter(...call)
      if (call[1].endsWith('-00001')) {
        const write = (): Promise<never> => Promise.reject(new BackupError('NO_SPACE', 'it is full'))
        const abort = async (): Promise<void> => {
          abortBegan()
          // The other write is not begun any more where the error was reported before.
          await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 100))])
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        return Object.assign(writer, { write, abort })
      }
      if (!call[1].endsWith('-00002')) return writer
      await aborting
      otherFailed()
      throw new BackupError('CONTAINER_MISSING', 'it was removed')
    }
  }
  await expect(
    new Racing({ ...sizes, concurrency: 2 }).backup({ volumeId: 'v' }, volume),
  ).rejects.toMatchObject({
    code: 'NO_SPACE',
  })
})

describe('maxObjectNameBytes', () => {
  it('refuses a backup whose names would be longer, before anything is written', async () => {
    const all = { streamingReads: true, rangedReads: true }
    const limited = driverWith({ ...all, maxObjectNameBytes: 80 })
    await expect(limited.backup({ volumeId: 'v'.repeat(30) }, volume)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('is longer than 80 bytes') as string,
    })
    expect(await limited.listBackups()).toEqual([])
    const enough = driverWith({ ...all, maxObjectNameBytes: 120 })
    await expect(enough.backup({ volumeId: 'v'.repeat(30) }, volume)).resolves.toMatchObject({
      objectCount: 3,
    })
  })
})
