import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ChunkedBackupDriver, chunkedDriverShape, type ChunkedDriverOptions } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { S3BackupDriver } from '@stowage/backup-s3'
import { SwiftBackupDriver } from '@stowage/backup-swift'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { zlib } from '@stowage/compression-zlib'

const folder = mkdtempSync(join(tmpdir(), 'stowage-driver-options-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const compressor = zlib()

/** A value of every option that no driver has by default. */
const values: Required<ChunkedDriverOptions> = {
  chunkSizeBytes: 1 << 20,
  blockSizeBytes: 4096,
  joinGapBytes: 12_345,
  container: 'another-container',
  compression: compressor,
  decompressors: [compressor],
  findDecompressor: () => Promise.resolve(compressor),
  catalog: {
    get: () => Promise.resolve(undefined),
    list: () =>
      (async function* () {
        yield* await Promise.resolve([])
      })(),
    put: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  },
  concurrency: 7,
  maxMemoryBytes: 123_456_789,
  strict: 'cinder',
  onWarning: () => undefined,
  onRetry: () => undefined,
  clock: () => new Date(0),
}

const drivers = {
  PosixBackupDriver: [PosixBackupDriver, (options) => new PosixBackupDriver({ path: folder, ...options })],
  S3BackupDriver: [
    S3BackupDriver,
    (options) =>
      new S3BackupDriver({
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        env: {},
        ...options,
      }),
  ],
  SwiftBackupDriver: [
    SwiftBackupDriver,
    (options) =>
      new SwiftBackupDriver({
        storageUrl: 'http://127.0.0.1:9/v1/a',
        context: { authToken: 't' },
        env: {},
        ...options,
      }),
  ],
  MemoryBackupDriver: [MemoryBackupDriver, (options) => new MemoryBackupDriver(options)],
  FaultyBackupDriver: [
    FaultyBackupDriver,
    (options) => new FaultyBackupDriver(new MemoryBackupDriver(), options),
  ],
} as const satisfies Record<string, readonly [object, (options: ChunkedDriverOptions) => ChunkedBackupDriver]>

/** Returns the options that the constructor of a driver passes to the base class. */
function optionsOfBase(type: object, create: () => ChunkedBackupDriver): ChunkedDriverOptions {
  const base = Object.getPrototypeOf(type) as typeof ChunkedBackupDriver
  let received: ChunkedDriverOptions = {}
  const recorder = new Proxy(base, {
    construct(target, args: [ChunkedDriverOptions, never], newTarget) {
      received = args[0]
      return Reflect.construct(target, args, newTarget) as object
    },
  })
  // super() calls the prototype of the class.
  Object.setPrototypeOf(type, recorder)
  try {
    create()
  } finally {
    Object.setPrototypeOf(type, base)
  }
  return received
}

describe.each(Object.entries(drivers))('%s', (_name, [type, create]) => {
  it.each(Object.keys(chunkedDriverShape) as (keyof ChunkedDriverOptions)[])(
    'passes the option %s of every driver to the engine',
    (name) => {
      const received = optionsOfBase(type, () => create({ [name]: values[name] }))
      expect(received[name]).toEqual(values[name])
    },
  )
})
