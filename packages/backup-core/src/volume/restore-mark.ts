import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readFile, readlink, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { BackupError } from '../errors/backup-error.js'
import { nameBeside } from './new-file-target.js'
import { errnoOf, targetError } from './positional-io.js'
import { hostname } from 'node:os'

/** What a mark says of the restore that made it. */
export interface MarkContent extends ProcessIdentity {
  /** Different for each restore. */
  readonly token: string
  /** `failed`: the restore has ended, and the file is not whole. */
  readonly state: 'restoring' | 'failed'
  readonly backupId: string
  /** ISO 8601. */
  readonly startedAt: string
  /** The bytes of the file that the restore writes. */
  readonly startBytes: number
  readonly endBytes: number
}

/** What a restore into an existing file is about to write. */
export interface MarkRequest {
  readonly backupId: string
  readonly startBytes: number
  readonly endBytes: number
}

/** The mark of a file: a hidden file beside it while a restore writes into it, and until it is whole. */
export function markPathOf(realPath: string): string {
  return join(dirname(realPath), nameBeside(basename(realPath), 'stowage-restoring'))
}

/** The mark beside a file; undefined where there is none. One that cannot be read is one of an unknown restore. */
export async function readMark(realPath: string): Promise<MarkContent | undefined> {
  try {
    return contentOf(await readFile(markPathOf(realPath), 'utf8'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    return contentOf('')
  }
}

/** A mark that this process holds: the lock on the file, and the note that it is not whole. */
export interface RestoreMark {
  /** The file is whole, or as it was before. */
  remove(): Promise<void>
  /** The restore has ended, and the file is not whole: the mark stays, and the lock does not. */
  keepAsFailed(): Promise<void>
}

/**
 * Marks a file as being restored, exclusively.
 *
 * @param warn - called with what an earlier, unfinished restore left behind
 * @throws BackupError `TARGET_BUSY` while another restore writes into the file, or where that cannot be told
 */
export async function takeMark(
  realPath: string,
  request: MarkRequest,
  warn: (message: string) => void,
): Promise<RestoreMark> {
  const content: MarkContent = {
    ...(await ownIdentity()),
    ...request,
    token: randomUUID(),
    state: 'restoring',
    startedAt: new Date().toISOString(),
  }
  const path = markPathOf(realPath)
  for (;;) {
    if (await createMark(path, content)) return heldMark(realPath, content)
    const found = await readMark(realPath)
    // Removed between the two calls.
    if (!found) continue
    await refuseForeign(realPath, path, found, request)
    if (!(await takeOver(realPath, path, found, content))) continue
    warn(
      `An earlier restore of backup ${found.backupId} into ${realPath}, begun at ${found.startedAt}, did not finish. This one takes its place.`,
    )
    return heldMark(realPath, content)
  }
}

/** Removes what a dead restore left beside a file that is about to be made anew. */
export async function removeDeadMark(realPath: string): Promise<void> {
  const found = await readMark(realPath)
  if (!found) return
  const path = markPathOf(realPath)
  if ((await stateOfMark(found)) !== 'dead') throw busy(realPath, path, found)
  await unlink(path)
}

async function refuseForeign(
  realPath: string,
  path: string,
  found: MarkContent,
  { startBytes, endBytes }: MarkRequest,
): Promise<void> {
  if ((await stateOfMark(found)) !== 'dead') throw busy(realPath, path, found)
  if (startBytes <= found.startBytes && endBytes >= found.endBytes) return
  throw new BackupError(
    'TARGET_BUSY',
    `${realPath} is not whole: a restore of backup ${found.backupId} into it, begun at ${found.startedAt}, did not finish. Restore the whole volume, or at least its bytes ${found.startBytes} to ${found.endBytes}, first; or remove ${path} to keep the file as it is.`,
  )
}

async function stateOfMark(mark: MarkContent): Promise<'alive' | 'dead' | 'unknown'> {
  return mark.state === 'failed' ? 'dead' : stateOf(mark)
}

function busy(realPath: string, path: string, { backupId, host, pid, startedAt }: MarkContent): BackupError {
  return new BackupError(
    'TARGET_BUSY',
    `${realPath} is being restored: backup ${backupId}, by process ${pid} on ${host}, since ${startedAt}. Wait for it to end. If no such process runs any more, remove ${path} and restore again.`,
  )
}

/**
 * Puts a mark in the place of one that a dead restore left. Whoever makes the file named after the dead one's token is
 * alone in this; by then the dead one's mark may have been replaced, which is looked for again.
 *
 * @returns false where another mark is there by now
 */
async function takeOver(
  realPath: string,
  path: string,
  found: MarkContent,
  content: MarkContent,
): Promise<boolean> {
  const turnPath = join(dirname(realPath), nameBeside(basename(realPath), `stowage-${shortOf(found.token)}`))
  if (!(await createMark(turnPath, content))) {
    throw new BackupError(
      'TARGET_BUSY',
      `${realPath}: another restore is taking the place of one that did not finish. Try again. If no restore runs, remove ${turnPath}.`,
    )
  }
  try {
    const now = await readMark(realPath)
    if (now?.token !== found.token || now.state !== found.state) return false
    await replaceMark(path, content)
    return true
  } finally {
    await unlink(turnPath)
  }
}

function shortOf(token: string): string {
  return /^[0-9a-f-]{36}$/.test(token) ? token : 'unknown'
}

function heldMark(realPath: string, content: MarkContent): RestoreMark {
  const path = markPathOf(realPath)
  // Somebody may have removed the mark by hand, and another restore have made its own.
  const isOurs = async (): Promise<boolean> => (await readMark(realPath))?.token === content.token
  return {
    remove: async () => {
      if (await isOurs()) await unlink(path)
    },
    keepAsFailed: async () => {
      if (await isOurs()) await replaceMark(path, { ...content, state: 'failed' })
    },
  }
}

/** @returns false where there is one already */
async function createMark(path: string, content: MarkContent): Promise<boolean> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644).catch(
    (error: unknown) => {
      if (errnoOf(error) === 'EEXIST') return undefined
      throw error
    },
  )
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

/** In one step: whoever reads it finds the old one or the new one. */
async function replaceMark(path: string, content: MarkContent): Promise<void> {
  const temporary = join(dirname(path), `.stowage-${content.token}`)
  if (!(await createMark(temporary, content))) throw targetError(new Error('the mark is there already'), path)
  await rename(temporary, path)
}

function contentOf(text: string): MarkContent {
  let value: Partial<Record<keyof MarkContent, unknown>> = {}
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    // Cut short by a crash, or not ours: nothing is known of it.
  }
  const word = (key: keyof MarkContent): string =>
    typeof value[key] === 'string' ? value[key].slice(0, 200) : 'unknown'
  const count = (key: keyof MarkContent, otherwise: number): number =>
    Number.isSafeInteger(value[key]) ? (value[key] as number) : otherwise
  return {
    host: word('host'),
    machine: word('machine'),
    pid: count('pid', 0),
    pidScope: word('pidScope'),
    started: word('started'),
    token: word('token'),
    state: value.state === 'failed' ? 'failed' : 'restoring',
    backupId: word('backupId'),
    startedAt: word('startedAt'),
    startBytes: count('startBytes', 0),
    endBytes: count('endBytes', Number.MAX_SAFE_INTEGER),
  }
}

/** Which process it is, well enough for another one to find out whether it still runs. */
export interface ProcessIdentity {
  readonly host: string
  /** The machine's own id; empty where it has none. */
  readonly machine: string
  readonly pid: number
  /** The boot of the machine and the namespace of the process id; empty where the system does not say. */
  readonly pidScope: string
  /** When the process started, in the kernel's ticks, since ids are used again; empty where the system does not say. */
  readonly started: string
}

/** Whether another process still runs; `unknown` where it is on another machine, or out of sight. */
export type ProcessState = 'alive' | 'dead' | 'unknown'

/** The identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    host: hostname(),
    machine: (await textOf('/etc/machine-id')).trim(),
    pid: process.pid,
    pidScope: `${await bootId()} ${await pidNamespace()}`.trim(),
    started: await startTicks(process.pid),
  }
}

/** Finds out whether a process still runs. */
export async function stateOf(other: ProcessIdentity): Promise<ProcessState> {
  const own = await ownIdentity()
  if (other.host !== own.host || other.machine !== own.machine) return 'unknown'
  if (other.pidScope !== own.pidScope) {
    // Whatever ran before this very machine was started again is gone; in another container it is out of sight.
    const isSameBoot = other.pidScope.split(' ')[0] === own.pidScope.split(' ')[0]
    return own.machine === '' || isSameBoot ? 'unknown' : 'dead'
  }
  if (!runs(other.pid)) return 'dead'
  const started = await startTicks(other.pid)
  return started !== '' && other.started !== '' && started !== other.started ? 'dead' : 'alive'
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function bootId(): Promise<string> {
  return (await textOf('/proc/sys/kernel/random/boot_id')).trim()
}

async function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '')
}

/** Field 22 of `/proc/PID/stat`; the second one is the name of the program, which may hold anything. */
async function startTicks(pid: number): Promise<string> {
  const text = await textOf(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
