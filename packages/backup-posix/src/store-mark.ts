import { BackupError, isBackupError } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { errnoOf, runMapped } from './errors.js'
import { PosixObjectReader } from './object-reader.js'
import { PosixObjectWriter } from './object-writer.js'

/** The file in the root that marks the directory as a store. Cinder and listings ignore dot files. */
export const markName = '.stowage-store'

const format = 'stowage-posix-store'
const version = 1

/** The maximum length of a mark; later versions will not need more. */
const maxMarkBytes = 64 * 1024

/**
 * Returns whether the directory has a mark. Rejects with `VERSION_UNSUPPORTED` for the mark of a later version, and with
 * `STORE_FAILED` for one that is damaged.
 */
export async function hasMark(root: string): Promise<boolean> {
  const text = await readMark(root)
  if (text === undefined) return false
  const mark = parseMark(text)
  if (mark?.format !== format || !Number.isSafeInteger(mark.version)) throw damaged(root)
  if (mark.version === version) return true
  throw new BackupError(
    'VERSION_UNSUPPORTED',
    `Cannot open the store at ${root}: its mark ${markName} has version ${String(mark.version)}, expected ${version}. ` +
      'Use a release of Stowage that knows this version.',
  )
}

/** Writes the mark atomically. Resolves to false if another program has written one first. */
export async function writeMark(root: string, fsync: boolean, signal?: AbortSignal): Promise<boolean> {
  const destination = { directory: root, container: root, objectName: markName }
  const mark = { format, version, id: randomUUID(), created: new Date().toISOString() }
  return runMapped({ action: `mark "${root}" as a store` }, async () => {
    const writer = await PosixObjectWriter.open(destination, { fsync, exclusive: true }, signal)
    try {
      await writer.write(Buffer.from(`${JSON.stringify(mark, null, 2)}\n`))
      await writer.close()
      return true
    } catch (error) {
      await writer.abort()
      if (isBackupError(error, 'CONFLICT')) return false
      throw error
    }
  })
}

async function readMark(root: string): Promise<string | undefined> {
  const destination = { directory: root, container: root, objectName: markName }
  return runMapped({ action: `read the mark ${markName} of the store at "${root}"` }, async () => {
    try {
      const reader = await PosixObjectReader.open(destination)
      const bytes = await reader.read({ maxBytes: maxMarkBytes }).finally(() => reader.close())
      return Buffer.from(bytes).toString()
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      if (isBackupError(error, 'OBJECT_TOO_LARGE')) throw damaged(root)
      throw error
    }
  })
}

function parseMark(text: string): { readonly format?: unknown; readonly version?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function damaged(root: string): BackupError {
  return new BackupError(
    'STORE_FAILED',
    `Cannot open the store at ${root}: its mark ${markName} is damaged. Check the file system. If the backups under it ` +
      `are whole, delete the mark and run: stowage init --store posix:${root}`,
  )
}
