import { PosixBackupDriver } from '@stowage/backup-posix'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** The store that every run of these tests uses, in its own directory. */
export const store = ['--store', 'posix:store']

/** Each test starts many processes, and a busy machine takes seconds to start one. */
export const patienceMs = 120_000

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: number, lengthBytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(lengthBytes / 64) }, (_, index) =>
    createHash('sha512')
      .update(`${String(seed)} ${String(index)}`)
      .digest(),
  )
  return Buffer.concat(blocks).subarray(0, lengthBytes)
}

/** A fresh directory for each test, with an empty store in it, gone after the test. */
export function useWorkbench(): {
  readonly directory: string
  readonly path: (name: string) => string
  readonly write: (name: string, bytes: Uint8Array) => Promise<void>
} {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-e2e-'))
    await using driver = new PosixBackupDriver({ path: join(directory, 'store') })
    await driver.createStore()
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  const path = (name: string): string => join(directory, name)
  return {
    get directory() {
      return directory
    },
    path,
    write: (name, bytes) => writeFile(path(name), bytes),
  }
}
