import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  bufferVolume,
  fileVolume,
  isBackupError,
  randomAccessVolume,
  streamVolume,
  type BackupErrorCode,
} from '@stowage/backup-core'
import * as posix from '@stowage/backup-posix'
import * as swift from '@stowage/backup-swift'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { bz2 } from '@stowage/compression-bz2'
import { bz2Compressjs } from '@stowage/compression-compressjs'
import { zlib } from '@stowage/compression-zlib'
import { zstd } from '@stowage/compression-zstd'

/** A call as plain JavaScript makes it. */
type Call = (...args: unknown[]) => unknown

const folder = mkdtempSync(join(tmpdir(), 'stowage-arguments-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Without types. */
function untyped(target: object, name: string): Call {
  const method = (target as Readonly<Record<string, unknown>>)[name] as Call
  return (...args) => Reflect.apply<unknown, unknown[], unknown>(method, target, args)
}

const memory = new MemoryBackupDriver()
const store = new posix.PosixBackupDriver({ path: join(folder, 'store'), create: true })
const env = {}
const remote = new swift.SwiftBackupDriver({
  storageUrl: 'http://127.0.0.1:9/v1/AUTH_x',
  context: { authToken: 'token' },
  backupSwiftRetryAttempts: 0,
  env,
})
const construct =
  (type: unknown): Call =>
  (...args) =>
    Reflect.construct(type as new () => object, args) as unknown

const methods = [
  'backup',
  'restore',
  'verify',
  'deleteBackup',
  'getBackup',
  'listBackups',
  'getChain',
  'exportRecord',
  'importRecord',
  'checkForSetupError',
  'createStore',
]

const calls: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(methods.map((name) => [name, untyped(memory, name)])),
  ...Object.fromEntries(methods.map((name) => [`${name} (POSIX)`, untyped(store, name)])),
  'checkForSetupError (Swift)': (options) =>
    untyped(remote, 'checkForSetupError')(options === undefined ? { signal: AbortSignal.abort() } : options),
  MemoryBackupDriver: construct(MemoryBackupDriver),
  FaultyBackupDriver: construct(FaultyBackupDriver),
  PosixBackupDriver: construct(posix.PosixBackupDriver),
  SwiftBackupDriver: construct(swift.SwiftBackupDriver),
  'getBackupDriver (POSIX)': posix.getBackupDriver as Call,
  'getBackupDriver (Swift)': swift.getBackupDriver as Call,
  getBackupDriverForUrl: swift.getBackupDriverForUrl as Call,
  fileVolume: fileVolume as Call,
  streamVolume: streamVolume as Call,
  bufferVolume: bufferVolume as Call,
  randomAccessVolume: randomAccessVolume as Call,
  zlib: zlib as Call,
  bz2: bz2 as Call,
  bz2Compressjs: bz2Compressjs as Call,
  zstd: zstd as Call,
}

/** What a call with nonsense may end with: what it was given is wrong, or names nothing that is there. */
const refusals: readonly BackupErrorCode[] = [
  'OPTION_INVALID',
  'CONFIG_INVALID',
  'BACKUP_NOT_FOUND',
  'RECORD_INVALID',
  'OBJECT_MISSING',
  'ABORTED',
  // Of the Swift that is not there.
  'STORE_UNAVAILABLE',
]

const names = [
  'volumeId',
  'parent',
  'container',
  'signal',
  'path',
  'level',
  'onProgress',
  'compression',
  'Parent',
]
const value = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
  fc.dictionary(fc.constantFrom(...names), fc.anything()),
  fc.constantFrom<unknown>(null, undefined, 'x', 0, Number.NaN, [], {}, () => 1, Symbol('s'), 1n),
  fc.constant('x').map((text) => Promise.resolve(text)),
)

describe('a public call with anything at all', () => {
  for (const [name, call] of Object.entries(calls)) {
    it(`succeeds or rejects with a BackupError: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(value, { maxLength: 3 }), async (args) => {
          let error: unknown
          try {
            await call(...args)
            return
          } catch (reason) {
            error = reason
          }
          if (isBackupError(error)) expect(refusals).toContain(error.code)
          else throw error
        }),
        { numRuns: 60 },
      )
    })
  }
})

describe('a mistake in a call', () => {
  const full = memory.backup({ volumeId: 'v', backupId: 'full' }, new Uint8Array(1000))
  const controller = new AbortController()
  const mistakes: readonly [string, () => unknown, string][] = [
    [
      'another case',
      async () => calls['backup']?.({ volumeId: 'v', Parent: await full }, new Uint8Array(1)),
      'Did you mean `parent`?',
    ],
    [
      'another spelling',
      () => calls['MemoryBackupDriver']?.({ chunk_size_bytes: 4096 }),
      'Did you mean `chunkSizeBytes`?',
    ],
    [
      'a shorter name',
      () => calls['MemoryBackupDriver']?.({ chunkSize: 4096 }),
      'Did you mean `chunkSizeBytes`?',
    ],
    ['a typing error', () => calls['verify']?.('full', { levle: 'full' }), 'Did you mean `level`?'],
    ['an unknown option', () => calls['restore']?.('full', bufferVolume(), { speed: 9 }), 'Known are '],
    ['no volume', () => calls['backup']?.({}, new Uint8Array(1)), '`volumeId` is missing'],
    [
      'no request',
      () => calls['backup']?.(),
      'The request of backup() must be an object with options, not undefined',
    ],
    [
      'a compression by its name',
      () => calls['MemoryBackupDriver']?.({ compression: 'zlib' }),
      'Pass zlib() of @stowage/compression-zlib',
    ],
    [
      'a compression that is not called',
      () => calls['MemoryBackupDriver']?.({ compression: zlib }),
      'Call the function',
    ],
    [
      'a decompressor by its name',
      () => calls['MemoryBackupDriver']?.({ decompressors: [zlib(), 'bzip2'] }),
      'Pass bz2() of @stowage/compression-bz2',
    ],
    ['a path as the target', () => calls['restore']?.('full', '/x.img'), 'use fileVolume(path)'],
    ['a path as the source', () => calls['backup']?.({ volumeId: 'v' }, '/x.img'), 'use fileVolume(path)'],
    ['a promise as the backup', () => calls['restore']?.(full, bufferVolume()), 'did you forget `await`?'],
    [
      'a promise as the parent',
      () => calls['backup']?.({ volumeId: 'v', parent: full }, new Uint8Array(1)),
      'did you forget `await`?',
    ],
    [
      'a promise as the options',
      () => calls['verify']?.('full', Promise.resolve({})),
      'did you forget `await`?',
    ],
    [
      'another object as the parent',
      () => calls['backup']?.({ volumeId: 'v', parent: { id: 'full' } }, new Uint8Array(1)),
      "must be a backup's id or record or null",
    ],
    [
      'the controller as the signal',
      () => calls['verify']?.('full', { signal: controller }),
      'Pass the `signal` of the AbortController',
    ],
    ['a listener that is none', () => calls['verify']?.('full', { onProgress: true }), '`onProgress`'],
    ['a clock that is none', () => calls['MemoryBackupDriver']?.({ clock: new Date() }), '`clock`'],
    [
      'a clock that gives no date',
      () =>
        new MemoryBackupDriver({ clock: (() => 5) as never }).backup({ volumeId: 'v' }, new Uint8Array(1)),
      '`clock` must return a valid Date',
    ],
    ['options of a volume', () => calls['fileVolume']?.('/x.img', { creat: true }), 'Did you mean `create`?'],
    ['options of a compressor', () => calls['zlib']?.({ Level: 3 }), 'Did you mean `level`?'],
    [
      'options of POSIX',
      () => calls['PosixBackupDriver']?.({ path: '/x', fSync: false }),
      'Did you mean `fsync`?',
    ],
    [
      'options of Swift',
      () => calls['getBackupDriver (Swift)']?.({ backup_swift_url: 'http://x/' }),
      'Did you mean `backupSwiftUrl`?',
    ],
    [
      'volume metadata that contains itself',
      () => {
        const loop: Record<string, unknown> = {}
        loop['self'] = loop
        return calls['backup']?.({ volumeId: 'v', volumeMetadata: loop }, new Uint8Array(1))
      },
      '`volumeMetadata`',
    ],
  ]
  it.each(mistakes)('is refused with the likely fix: %s', async (_what, call, advice) => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(error).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(advice) as string,
    })
  })

  it('never shows what a wrong value holds', async () => {
    const secret = 'correct-horse'
    for (const wrong of [{ signal: secret }, { onWarning: secret }, { onProgress: [secret] }]) {
      const error: unknown = await Promise.resolve(calls['verify']?.('full', wrong)).catch(
        (reason: unknown) => reason,
      )
      expect(String(error)).not.toContain(secret)
    }
  })

  it('is not made by an option that is undefined, which counts as left out', async () => {
    const record = await memory.backup(
      { volumeId: 'v', parent: undefined, container: undefined, Unknown: undefined } as never,
      new Uint8Array(10),
      { signal: undefined, onProgress: undefined } as never,
    )
    expect(record.parentId).toBeNull()
  })
})
