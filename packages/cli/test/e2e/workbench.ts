import { PosixBackupDriver } from '@stowage/backup-posix'
import { createCipheriv } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** The store that every run of these tests uses, in its own directory. */
export const store = ['--store', 'posix:store']

/** A busy machine takes seconds to start a process. */
export const noticeAfterMs = 120_000

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: number, lengthBytes: number): Buffer {
  const counter = Buffer.alloc(16)
  counter.writeUInt32BE(seed)
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), counter).update(Buffer.alloc(lengthBytes))
}

/** A fresh working directory for each test, with an empty store in it, removed after the test. */
export function useWorkbench(): {
  readonly directory: string
  readonly path: (name: string) => string
  readonly write: (name: string, bytes: Uint8Array) => Promise<void>
} {
  const startedIn = process.cwd()
  let directory = ''
  beforeEach(async () => {
    process.chdir(await mkdtemp(join(tmpdir(), 'stowage-e2e-')))
    directory = process.cwd()
    await using driver = new PosixBackupDriver({ path: join(directory, 'store') })
    await driver.createStore()
  })
  afterEach(async () => {
    process.chdir(startedIn)
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
