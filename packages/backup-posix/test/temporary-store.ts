import type { BackupErrorCode } from '@stowage/backup-core'
import { isBackupError } from '@stowage/backup-core'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { PosixBackupDriver } from '../src/index.js'
import type { PosixDriverOptions } from '../src/index.js'

/** Options of an object, as the engine passes them. */
export const object = { extraMetadata: null }

/** A directory of the test's own, removed at its end. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'stowage-posix-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A driver on a store of its own. One at a given path is made at its first use. */
export async function temporaryStore(
  options: Partial<PosixDriverOptions> = {},
): Promise<{ driver: PosixBackupDriver; path: string }> {
  const path = options.path ?? (await temporaryDirectory())
  const sizes = { chunkSizeBytes: 4096, blockSizeBytes: 1024 }
  const driver = new PosixBackupDriver({ create: true, ...sizes, ...options, path })
  onTestFinished(() => driver.close())
  if (options.path === undefined && options.create !== false) await driver.createStore()
  return { driver, path }
}

/** Writes an object through the hooks. */
export async function put(
  driver: PosixBackupDriver,
  container: string,
  name: string,
  text: string,
): Promise<void> {
  const writer = await driver.getObjectWriter(container, name, object)
  await writer.write(Buffer.from(text))
  await writer.close()
}

/** What an async iterable gives. */
export async function all(names: AsyncIterable<string>): Promise<string[]> {
  const result: string[] = []
  for await (const name of names) result.push(name)
  return result.sort()
}

/** Every file and directory below a path, by its path from there, but for the mark of a store. */
export async function everything(path: string): Promise<string[]> {
  const names = await readdir(path, { recursive: true })
  return names.filter((name) => basename(name) !== '.stowage-store').sort()
}

/** Expects a BackupError of the code. */
export async function expectCode(code: BackupErrorCode, promise: Promise<unknown>): Promise<void> {
  const error: unknown = await promise.then(
    () => new Error(`resolved, where ${code} was due`),
    (reason: unknown) => reason,
  )
  if (!isBackupError(error, code)) throw error
  expect(error.message).not.toBe('')
}
