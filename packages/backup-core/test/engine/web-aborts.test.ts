import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import type { StoreOperation } from '@stowage/backup-testkit'
import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BackupError, bufferVolume, isBackupError } from '../../src/index.js'
import type { ChunkedBackupDriver, Compressor } from '../../src/index.js'
import { changed, seededBytes } from './volumes.js'

const bytes = seededBytes(10_000).map((byte) => byte & 15)
const sizes = { chunkSizeBytes: 4096, blockSizeBytes: 1024 }

/** How an abort is reported by what was passed a signal, and what `controller.abort()` was called with. */
const shapes: Readonly<Record<string, readonly [fail: (signal: AbortSignal) => never, reason?: unknown]>> = {
  'signal.throwIfAborted()': [throwReason],
  'a reason of the caller’s own': [throwReason, new Error('the operator said stop')],
  'a reason that is not an error': [throwReason, 'stop'],
  // undici, node:fs and AWS's clients: not a DOMException, and not the reason, but the name is the same.
  'an error named AbortError': [
    () => {
      throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
    },
    new Error('the operator said stop'),
  ],
  'an error of the connection that was cut': [
    () => {
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    },
  ],
}

function throwReason(signal: AbortSignal): never {
  signal.throwIfAborted()
  throw new Error('The signal was not aborted.')
}

const abortError = (): Error => new DOMException('This operation was aborted', 'AbortError')

type Operation = (driver: ChunkedBackupDriver, signal: AbortSignal) => Promise<unknown>

const operations: Readonly<Record<string, Operation>> = {
  'backup(), full': (driver, signal) => driver.backup({ volumeId: 'other' }, bufferVolume(bytes), { signal }),
  'backup(), incremental': (driver, signal) =>
    driver.backup({ volumeId: 'volume', parent: 'full' }, bufferVolume(changed(bytes, 0, 10)), { signal }),
  'restore()': (driver, signal) => driver.restore('full', bufferVolume(), { signal }),
  'verify()': (driver, signal) => driver.verify('full', { level: 'full', signal }),
  'listBackups()': (driver, signal) => driver.listBackups({ signal }),
  'getBackup()': (driver, signal) => driver.getBackup('full', { signal }),
  'getChain()': (driver, signal) => driver.getChain('full', { signal }),
  'exportRecord()': (driver, signal) => driver.exportRecord('full', { signal }),
  'deleteBackup()': (driver, signal) => driver.deleteBackup('full', { signal }),
  'removeOrphans()': (driver, signal) => driver.removeOrphans({ olderThanMs: 0, dryRun: true, signal }),
}

/** Every hook that is passed a signal. */
const hooks: readonly StoreOperation[] = [
  'putContainer',
  'getContainerEntries',
  'getContainers',
  'getObjectWriter',
  'getObjectReader',
  'deleteObject',
  'deleteObjects',
  'objectExists',
  'objectModifiedAt',
  'writer.write',
  'writer.close',
  'reader.read',
  'reader.stream',
  'reader.readRange',
]

async function scene(): Promise<FaultyBackupDriver> {
  const memory = new MemoryBackupDriver(sizes)
  await memory.backup({ volumeId: 'volume', backupId: 'full' }, bufferVolume(bytes))
  return new FaultyBackupDriver(memory)
}

const outcomeOf = (running: Promise<unknown>): Promise<unknown> =>
  running.then(
    () => 'resolved',
    (error: unknown) => error,
  )

describe('an abort that a backend reports in the web’s own way', () => {
  for (const [name, operate] of Object.entries(operations)) {
    it(`ends ${name} with ABORTED, whichever hook reports it, and however`, async () => {
      let reported = 0
      for (const hook of hooks) {
        for (const [shape, [fail, reason]] of Object.entries(shapes)) {
          const driver = await scene()
          const controller = new AbortController()
          const run = (_call: unknown, signal: AbortSignal | undefined): void => {
            if (signal === undefined || controller.signal.aborted) return
            controller.abort(reason)
            fail(signal)
          }
          driver.addFault(fault.run(hook, { run }))
          const outcome = await outcomeOf(operate(driver, controller.signal))
          if (!controller.signal.aborted) break
          expect(isBackupError(outcome, 'ABORTED'), `${hook}, ${shape}: ${String(outcome)}`).toBe(true)
          reported += 1
        }
      }
      expect(reported).toBeGreaterThan(0)
    })
  }

  it('is STORE_FAILED, with the AbortError as its cause, where nobody aborted the operation', async () => {
    for (const [name, operate] of Object.entries(operations)) {
      for (const hook of hooks) {
        const driver = await scene()
        const error = abortError()
        driver.addFault(fault.fail(hook, { nth: 1, error }))
        const outcome = await outcomeOf(operate(driver, new AbortController().signal))
        if (outcome === 'resolved') continue
        const what = `${name}, ${hook}: ${String(outcome)}`
        expect(isBackupError(outcome) && outcome.code, what).toMatch(
          /^(STORE_FAILED|DELETE_INCOMPLETE|DEPENDENTS_UNKNOWN)$/,
        )
      }
    }
    const driver = await scene()
    const error = abortError()
    driver.addFault(fault.fail('getObjectReader', { error }))
    await expect(driver.getBackup('full')).rejects.toMatchObject({
      code: 'STORE_FAILED',
      cause: error,
      message: expect.stringMatching(
        /^Cannot read the object ".*_metadata" in "volumebackups" \(.*aborted\)\.$/,
      ) as string,
    })
  })

  it('ends createStore() with ABORTED', async () => {
    for (const hook of ['putContainer', 'checkForSetupError'] as const) {
      const controller = new AbortController()
      const { signal } = controller
      const driver = new (class extends MemoryBackupDriver {
        override putContainer(...call: Parameters<MemoryBackupDriver['putContainer']>): Promise<void> {
          return hook === 'putContainer' ? abort() : super.putContainer(...call)
        }
        override checkForSetupError(): Promise<void> {
          return abort()
        }
      })()
      const abort = (): never => {
        controller.abort()
        return throwReason(signal)
      }
      await expect(driver.createStore({ signal })).rejects.toMatchObject({ code: 'ABORTED' })
    }
  })

  it('does not hide that an object exists already, which is another run’s', async () => {
    const controller = new AbortController()
    const driver = await scene()
    const conflict = new BackupError('CONFLICT', 'It exists already.')
    const run = (): never => {
      controller.abort()
      throw conflict
    }
    driver.addFault(fault.run('writer.close', { object: /-00001$/, run }))
    const request = { volumeId: 'other', backupId: 'other' }
    await expect(
      driver.backup(request, bufferVolume(bytes), { signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
    expect(driver.count('deleteObject', /_other-00001$/)).toBe(0)
  })
})

const sound: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (chunk) => Promise.resolve(deflateSync(chunk)),
  decompress: (chunk) => Promise.resolve(inflateSync(chunk)),
}

/** A compressor of which one method fails. */
function failing(method: 'compress' | 'decompress' | 'decompressStream', fail: () => never): Compressor {
  return { ...sound, [method]: fail }
}

describe('an abort that a compressor reports in the web’s own way', () => {
  const run = async (
    method: 'compress' | 'decompress' | 'decompressStream',
    fail: (signal: AbortSignal) => never,
    abort: (controller: AbortController) => void,
  ): Promise<unknown> => {
    const memory = new MemoryBackupDriver({ ...sizes, compression: sound })
    const controller = new AbortController()
    const { signal } = controller
    const compressor = failing(method, () => {
      abort(controller)
      return fail(signal)
    })
    const driver = new MemoryBackupDriver({
      ...{ ...sizes, store: memory.store, compression: compressor },
      ...(method === 'decompressStream' ? { maxMemoryBytes: 4096 } : {}),
    })
    if (method === 'compress')
      return outcomeOf(driver.backup({ volumeId: 'volume' }, bufferVolume(bytes), { signal }))
    await memory.backup({ volumeId: 'volume', backupId: 'full' }, bufferVolume(bytes))
    return outcomeOf(driver.restore('full', bufferVolume(), { signal }))
  }

  for (const method of ['compress', 'decompress', 'decompressStream'] as const) {
    it(`ends the operation with ABORTED: ${method}`, async () => {
      for (const [shape, [fail, reason]] of Object.entries(shapes)) {
        const outcome = await run(method, fail, (controller) => {
          controller.abort(reason)
        })
        expect(isBackupError(outcome, 'ABORTED'), `${shape}: ${String(outcome)}`).toBe(true)
      }
    })

    it(`is COMPRESSION_FAILED where nobody aborted the operation: ${method}`, async () => {
      const error = abortError()
      const fail = (): never => {
        throw error
      }
      await expect(run(method, fail, () => undefined)).resolves.toMatchObject({
        code: 'COMPRESSION_FAILED',
        cause: error,
      })
    })
  }
})
