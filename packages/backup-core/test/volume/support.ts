import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { isBackupError, type BackupError, type BackupErrorCode } from '../../src/errors/backup-error.js'
import type { OpenSource, TargetRequirements } from '../../src/contracts/volume.js'

/** A directory of its own for each test; the function names a file in it. */
export function useTemporaryDirectory(): (name?: string) => string {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-volume-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  return (name = '') => join(directory, name)
}

/** Expects a BackupError of the code, and returns it. */
export async function expectCode(work: Promise<unknown>, code: BackupErrorCode): Promise<BackupError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBackupError(error)) throw new Error(`Expected ${code}, got ${String(error)}`, { cause: error })
  expect(error.code).toBe(code)
  return error
}

/** As {@link expectCode}, for what throws. */
export async function expectThrown(work: () => unknown, code: BackupErrorCode): Promise<BackupError> {
  return expectCode(
    Promise.resolve().then(() => work()),
    code,
  )
}

/** What a restore of a whole volume asks for. */
export function whole(volumeSizeBytes: number, more: Partial<TargetRequirements> = {}): TargetRequirements {
  return { volumeSizeBytes, endBytes: volumeSizeBytes, partial: false, overwrite: false, ...more }
}

/** Bytes that differ from their neighbours and from zero. */
export function pattern(length: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => ((index * 31 + seed * 17) % 255) + 1))
}

/** Reads a source to its end in reads of the given size. */
export async function readAll(source: OpenSource, readBytes = 64): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let offset = 0; ;) {
    const into = Buffer.alloc(readBytes)
    const got = await source.read(into, offset)
    pieces.push(into.subarray(0, got))
    offset += got
    if (got < readBytes) return Buffer.concat(pieces)
  }
}
