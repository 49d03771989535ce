import { randomUUID } from 'node:crypto'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { BackupError } from '../errors/backup-error.js'
import { unlessErrno } from './positional-io.js'
import { nameBeside, processIdentity, stateOfOwner, type ProcessState } from './restore-process.js'

/** What a restore into an existing file is about to write. */
export interface MarkRequest {
  readonly backupId: string
  readonly startBytes: number
  readonly endBytes: number
}

/** The content of a mark: the restore that made it. */
export interface MarkContent extends MarkRequest {
  /** Different for each restore. */
  readonly token: string
  /** `failed`: the restore has ended, and the file is incomplete. */
  readonly state: 'restoring' | 'failed'
  /** ISO 8601. */
  readonly startedAt: string
  /** The note of the process; see {@link stateOfOwner}. */
  readonly owner: string
  /** For people. */
  readonly host: string
  readonly pid: number
}

/** The mark of a file: a hidden file beside it while a restore writes into it, and until it is complete. */
export function markPathOf(realPath: string): string {
  return pathBeside(realPath, 'stowage-restoring')
}

function pathBeside(realPath: string, suffix: string): string {
  return join(dirname(realPath), nameBeside(basename(realPath), suffix))
}

/** The mark beside a file; undefined where there is none. One that cannot be read counts as an unknown restore's. */
export async function readRestoreMark(realPath: string): Promise<MarkContent | undefined> {
  const reading = unlessErrno(readFile(markPathOf(realPath), 'utf8'), 'ENOENT', 'ENOTDIR')
  const text = await reading.catch(() => '')
  return text === undefined ? undefined : contentOf(text)
}

/** How often another restore may remove its mark between two calls. */
const MAX_ATTEMPTS = 10

function unusableMark(realPath: string): BackupError {
  const path = markPathOf(realPath)
  const message = `Cannot mark ${realPath} as being restored: ${path} exists and cannot be read. Remove it, and restore again.`
  return new BackupError('TARGET_BUSY', message)
}

/** A mark that this process holds: the lock on the file, and the note that it is incomplete. */
export interface RestoreMark {
  /** Removes the mark: the file is complete, or as it was before. */
  remove(): Promise<void>
  /** Releases the lock and keeps the mark: the restore has ended, and the file is incomplete. */
  keepAsFailed(): Promise<void>
}

/**
 * Marks a file as being restored, exclusively.
 *
 * @param warn - called with what an earlier, unfinished restore left behind
 * @throws BackupError `TARGET_BUSY` while another restore writes into the file, or may do so
 */
export async function takeMark(
  realPath: string,
  request: MarkRequest,
  warn: (message: string) => void,
): Promise<RestoreMark> {
  const content: MarkContent = {
    ...request,
    token: randomUUID(),
    state: 'restoring',
    startedAt: new Date().toISOString(),
    owner: await processIdentity(),
    host: hostname(),
    pid: process.pid,
  }
  for (let attempts = 1; !(await createMark(markPathOf(realPath), content)); attempts += 1) {
    const found = await readRestoreMark(realPath)
    // Removed between the two calls; or not a file, if that happens again and again.
    if (!found && attempts < MAX_ATTEMPTS) continue
    if (!found) throw unusableMark(realPath)
    await assertNotRunning(realPath, found)
    assertCovers(realPath, found, request)
    if (!(await replaceDeadMark(realPath, found, content))) continue
    warn(
      `An earlier restore of backup ${found.backupId} into ${realPath}, started at ${found.startedAt}, did not finish. This restore takes its place.`,
    )
    break
  }
  // The mark may have been removed by hand, and another restore have made its own.
  const isOwn = async (): Promise<boolean> => (await readRestoreMark(realPath))?.token === content.token
  return {
    remove: async () => {
      if (await isOwn()) await unlink(markPathOf(realPath))
    },
    keepAsFailed: async () => {
      if (await isOwn()) await replaceMark(realPath, { ...content, state: 'failed' })
    },
  }
}

/** Removes the mark of a dead restore beside a file that is about to be created. */
export async function removeDeadMark(realPath: string): Promise<void> {
  const found = await readRestoreMark(realPath)
  if (!found) return
  await assertNotRunning(realPath, found)
  await unlink(markPathOf(realPath))
}

async function assertNotRunning(realPath: string, mark: MarkContent): Promise<void> {
  const state: ProcessState = mark.state === 'failed' ? 'dead' : await stateOfOwner(mark.owner)
  if (state === 'dead') return
  const { backupId, pid, host, startedAt } = mark
  throw new BackupError(
    'TARGET_BUSY',
    `${realPath} is being restored: backup ${backupId}, by process ${pid} on ${host}, since ${startedAt}. Wait for it to end. If that process does not run any more, remove ${markPathOf(realPath)} and restore again.`,
  )
}

/** A restore of a part must not clear the mark of one that wrote more. */
function assertCovers(realPath: string, found: MarkContent, { startBytes, endBytes }: MarkRequest): void {
  if (startBytes <= found.startBytes && endBytes >= found.endBytes) return
  throw new BackupError(
    'TARGET_BUSY',
    `${realPath} is incomplete: a restore of backup ${found.backupId} into it, started at ${found.startedAt}, did not finish. Restore the whole volume, or at least its bytes ${found.startBytes} to ${found.endBytes}, first; or remove ${markPathOf(realPath)} to keep the file as it is.`,
  )
}

/**
 * Replaces the mark of a dead restore. Of several processes only the one that creates the file named after the dead mark's
 * token does; it then reads the mark again, which another process may have replaced before.
 *
 * @returns false where there is another mark by now
 */
async function replaceDeadMark(realPath: string, found: MarkContent, content: MarkContent): Promise<boolean> {
  const token = /^[0-9a-f-]{36}$/.test(found.token) ? found.token : 'unknown'
  const lockPath = pathBeside(realPath, `stowage-${token}`)
  if (!(await createMark(lockPath, content))) {
    throw new BackupError(
      'TARGET_BUSY',
      `${realPath}: another restore is replacing the mark of one that did not finish. Try again. If no restore is running, remove ${lockPath}.`,
    )
  }
  try {
    const now = await readRestoreMark(realPath)
    if (now?.token !== found.token || now.state !== found.state) return false
    await replaceMark(realPath, content)
    return true
  } finally {
    await unlink(lockPath)
  }
}

/** @returns false where the file exists */
async function createMark(path: string, content: MarkContent): Promise<boolean> {
  const handle = await unlessErrno(open(path, 'wx', 0o644), 'EEXIST')
  if (!handle) return false
  try {
    await handle.writeFile(JSON.stringify(content))
    await handle.sync()
  } catch (error) {
    await unlink(path)
    throw error
  } finally {
    await handle.close()
  }
  return true
}

/** Replaces a mark atomically: readers find the old one or the new one. */
async function replaceMark(realPath: string, content: MarkContent): Promise<void> {
  const temporary = join(dirname(realPath), `.stowage-${content.token}`)
  if (!(await createMark(temporary, content))) throw new Error(`${temporary} exists already`)
  await rename(temporary, markPathOf(realPath))
}

const unknownMark: MarkContent = {
  ...{ backupId: 'unknown', startBytes: 0, endBytes: Number.MAX_SAFE_INTEGER },
  ...{ token: 'unknown', state: 'restoring', startedAt: 'unknown' },
  ...{ owner: 'unknown', host: 'unknown', pid: 0 },
}

function contentOf(text: string): MarkContent {
  try {
    const value = JSON.parse(text) as MarkContent
    const keys = Object.keys(unknownMark) as (keyof MarkContent)[]
    if (keys.every((key) => typeof value[key] === typeof unknownMark[key])) return value
  } catch {
    // Cut short by a crash, or not a mark.
  }
  return unknownMark
}
