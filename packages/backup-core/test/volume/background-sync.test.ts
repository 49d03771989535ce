import type { FileHandle } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { FileTarget } from '../../src/volume/file-target.js'

const piece = new Uint8Array(16 * 1024 * 1024)

/** A file whose system calls do nothing but be counted. The test decides when a background sync ends, and how. */
function fakeFile(): {
  handle: FileHandle
  calls: string[]
  endSync: (error?: Error) => void
} {
  const calls: string[] = []
  let end: (error?: Error) => void = () => undefined
  const fake = {
    write: (_bytes: Uint8Array, _offset: number, length: number) => Promise.resolve({ bytesWritten: length }),
    datasync: () => {
      calls.push('datasync')
      return new Promise<void>((resolve, reject) => {
        end = (error) => {
          if (error) reject(error)
          else resolve()
        }
      })
    },
    sync: () => {
      calls.push('sync')
      return Promise.resolve()
    },
    close: () => {
      calls.push('close')
      return Promise.resolve()
    },
  }
  return {
    handle: fake as unknown as FileHandle,
    calls,
    endSync: (error) => {
      end(error)
    },
  }
}

async function writePieces(target: FileTarget, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await target.write(piece, index * piece.length)
}

it('makes what was written durable while more is written, with one sync at a time', async () => {
  const { handle, calls, endSync } = fakeFile()
  const target = new FileTarget('/volume', handle, true)
  await writePieces(target, 3)
  expect(calls).toEqual([])
  await writePieces(target, 9)
  expect(calls).toEqual(['datasync'])
  endSync()
  await writePieces(target, 1)
  expect(calls).toEqual(['datasync', 'datasync'])
  const finished = target.finish()
  expect(calls).toEqual(['datasync', 'datasync'])
  endSync()
  await finished
  await target.close()
  expect(calls).toEqual(['datasync', 'datasync', 'sync', 'close'])
})

it('ends with the error of a sync, though a later one would succeed', async () => {
  const { handle, calls, endSync } = fakeFile()
  const target = new FileTarget('/volume', handle, true)
  await writePieces(target, 4)
  endSync(Object.assign(new Error('EIO'), { code: 'EIO' }))
  await new Promise(setImmediate)
  const failure = { code: 'TARGET_WRITE', message: expect.stringContaining('/volume') as string }
  await expect(writePieces(target, 1)).rejects.toMatchObject(failure)
  await expect(target.finish()).rejects.toMatchObject(failure)
  await target.close()
  expect(calls).toEqual(['datasync', 'close'])
})

it('waits for a sync before the file is closed after a failure', async () => {
  const { handle, calls, endSync } = fakeFile()
  const target = new FileTarget('/volume', handle, true)
  await writePieces(target, 4)
  const closed = target.close()
  await Promise.resolve()
  expect(calls).toEqual(['datasync'])
  endSync(new Error('the disk is gone'))
  await closed
  expect(calls).toEqual(['datasync', 'close'])
})
