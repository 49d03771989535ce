import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { describe, expect, it } from 'vitest'
import { bufferVolume, randomAccessVolume, streamVolume } from '../../src/index.js'
import type { BackupSource, OpenSource, OpenTarget, VolumeTarget } from '../../src/index.js'
import { seededBytes } from '../engine/volumes.js'

const bytes = seededBytes(10_000)
const sizes = { chunkSizeBytes: 4096, blockSizeBytes: 1024 }

type Fail = () => never

/** A source of which one method fails: that at its first call. */
const sources: Readonly<Record<string, (fail: Fail) => BackupSource>> = {
  'openSource()': (fail) => ({ openSource: fail }),
  'read()': (fail) => ownSource({ read: fail }),
  'extents()': (fail) => ownSource({ extents: fail }),
  'an extent of extents()': (fail) => ownSource({ extents: () => failingIterable(fail) }),
  'changedSince()': (fail) => ownSource({ changedSince: fail }),
  'changeWarning()': (fail) => ownSource({ changeWarning: fail }),
  'read() of randomAccessVolume': (fail) => randomAccessVolume({ size: bytes.length, read: fail }),
  'the iterable of streamVolume': (fail) => streamVolume(failingIterable(fail)),
}

const targets: Readonly<Record<string, (fail: Fail) => VolumeTarget>> = {
  'openTarget()': (fail) => ({ openTarget: fail }),
  'write()': (fail) => ownTarget({ write: fail }),
  'finish()': (fail) => ownTarget({ finish: fail }),
}

function ownSource(methods: Partial<OpenSource>): BackupSource {
  return {
    openSource: async () => {
      const open = await bufferVolume(bytes).openSource()
      return {
        sizeBytes: bytes.length,
        seekable: true,
        read: (...call) => open.read(...call),
        close: () => open.close(),
        ...methods,
      }
    },
  }
}

function ownTarget(methods: Partial<OpenTarget>): VolumeTarget {
  const resolved = (): Promise<void> => Promise.resolve()
  return {
    openTarget: () =>
      Promise.resolve({ readsAsZeros: true, write: resolved, finish: resolved, close: resolved, ...methods }),
  }
}

function failingIterable(fail: Fail): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: async () => fail() }) }
}

/** A backup or a restore of a volume that fails. */
type Run = (fail: Fail, signal: AbortSignal) => Promise<unknown>

const runs: Readonly<Record<string, { readonly run: Run; readonly code: string }>> = {
  ...mapped(sources, 'SOURCE_READ', async (driver, source, signal) => {
    const parent = await driver.backup({ volumeId: 'volume' }, bufferVolume(bytes))
    await driver.backup({ volumeId: 'volume', parent }, source, { signal })
  }),
  ...mapped(targets, 'TARGET_WRITE', async (driver, target, signal) => {
    const { id } = await driver.backup({ volumeId: 'volume' }, bufferVolume(bytes))
    await driver.restore(id, target, { signal })
  }),
}

function mapped<Volume>(
  volumes: Readonly<Record<string, (fail: Fail) => Volume>>,
  code: string,
  operate: (driver: MemoryBackupDriver, volume: Volume, signal: AbortSignal) => Promise<unknown>,
): Record<string, { run: Run; code: string }> {
  return Object.fromEntries(
    Object.entries(volumes).map(([name, make]) => [
      name,
      { code, run: (fail, signal) => operate(new MemoryBackupDriver(sizes), make(fail), signal) },
    ]),
  )
}

describe('an AbortError of a volume', () => {
  for (const [name, { run, code }] of Object.entries(runs)) {
    it(`ends the operation with ABORTED: ${name}`, async () => {
      for (const reason of [undefined, new Error('the operator said stop'), 'stop']) {
        for (const throwError of [
          (signal: AbortSignal) => {
            signal.throwIfAborted()
          },
          () => {
            throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
          },
        ]) {
          const controller = new AbortController()
          const fail = (): never => {
            controller.abort(reason)
            throwError(controller.signal)
            throw new Error('The signal was not aborted.')
          }
          await expect(run(fail, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' })
        }
      }
    })

    it(`is ${code}, with the AbortError as its cause, without an abort of the operation: ${name}`, async () => {
      const error = new DOMException('This operation was aborted', 'AbortError')
      const fail = (): never => {
        throw error
      }
      await expect(run(fail, new AbortController().signal)).rejects.toMatchObject({ code, cause: error })
    })
  }
})
