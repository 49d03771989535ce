import type { Dirent } from 'node:fs'
import { chmod, mkdir, open, opendir, readdir, realpath, rmdir, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { throwIfAborted } from '@stowage/backup-core'
import { errnoOf } from './errors.js'
import {
  checkDirectory,
  containerSegments,
  isAutomaticContainer,
  isContainerOfOne,
  looksLikeBackupObject,
  looksLikeManifest,
} from './paths.js'

/** Of every directory that is made here, whatever the umask: as Cinder's. */
const directoryMode = 0o770

/** How often making a container is retried when a delete removes an empty parent between two steps. */
const attempts = 10

/** Makes the root where it is missing, with its parents, and their names durable. */
export async function makeRoot(root: string, fsync: boolean): Promise<void> {
  const made = await mkdir(root, { recursive: true, mode: directoryMode })
  if (made === undefined) return
  await chmod(root, directoryMode)
  for (let path = root; ; path = dirname(path)) {
    await syncDirectory(dirname(path), fsync)
    if (path === made || path === dirname(path)) return
  }
}

/**
 * Makes a container below an existing root, each directory durable before the next.
 *
 * @returns whether it did not exist before
 */
export async function makeContainer(root: string, container: string, fsync: boolean): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      let path = root
      let isNew = false
      for (const segment of containerSegments(container)) {
        path = join(path, segment)
        isNew = await makeDirectory(path)
        if (isNew) await syncDirectory(dirname(path), fsync)
        else await checkDirectory(path, container)
      }
      return isNew
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === attempts) throw error
    }
  }
}

/** Removes an automatic container, and its parents, as far as they are empty. */
export async function removeIfEmpty(root: string, container: string): Promise<void> {
  if (!isAutomaticContainer(container)) return
  const segments = containerSegments(container)
  for (; segments.length > 0; segments.pop()) {
    try {
      await rmdir(join(root, ...segments))
    } catch (error) {
      // Another delete may have removed it. A directory that cannot be removed is not a failed delete.
      if (errnoOf(error) !== 'ENOENT') return
    }
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string, fsync: boolean): Promise<void> {
  if (!fsync) return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Names of the objects in a directory that begin with the prefix: regular files without a leading dot. A manifest that
 * is a link, a directory or a FIFO is named too. It cannot be read, but the backup must not vanish from a list.
 */
export async function* fileNames(path: string, prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const entry of await opendir(path, { bufferSize: 1024 })) {
    throwIfAborted(signal, 'Listing')
    if (isObject(entry, prefix)) yield entry.name
  }
}

/**
 * Lists an automatic container with one readdir(3), before its path is checked: a search reads tens of thousands of them, most
 * of them without a match. Returns undefined where the caller must check the path first: another container, a store that is
 * not open, or a directory that cannot be read, since its file system may be unmounted.
 */
export async function listWithoutPathCheck(
  root: string | undefined,
  container: string,
  prefix: string,
): Promise<string[] | undefined> {
  if (root === undefined || !isAutomaticContainer(container)) return undefined
  const path = join(root, ...containerSegments(container))
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
  return entries?.filter((entry) => isObject(entry, prefix)).map(({ name }) => name)
}

function isObject(entry: Dirent, prefix: string): boolean {
  if (entry.name.startsWith('.') || !entry.name.startsWith(prefix)) return false
  return entry.isFile() || looksLikeManifest(entry.name)
}

/**
 * Every directory below `path`, at any depth, that holds a file, by its path from there. Links are not followed, nor
 * dot directories: file servers keep snapshots of the whole store in those. What may hold backups and cannot be listed
 * is named too, so that its listing fails: a directory without the right to read it, a link that leads out. So is each
 * automatic container, which is not looked into: there may be tens of thousands, and they hold a backup each.
 *
 * @param onForeignLink - called with the name of each link in `path` itself to a directory that is not a container;
 *   without it such links are named as others are, since a backup may be below what they lead to
 * @param isThorough - looks into automatic containers too
 */
export async function* containersBelow(
  path: string,
  {
    signal,
    onForeignLink,
    isThorough = false,
  }: {
    readonly signal?: AbortSignal | undefined
    readonly onForeignLink?: ((name: string) => void) | undefined
    readonly isThorough?: boolean
  },
): AsyncGenerator<string> {
  const waiting = ['']
  const reading = new Set<Promise<void>>()
  const results: DirectoryRead[] = []
  const failures: unknown[] = []
  const begin = (relative: string): void => {
    const read = readDirectory(path, relative)
      .then(
        (result) => void results.push(result),
        (error: unknown) => void failures.push(error),
      )
      .finally(() => reading.delete(read))
    reading.add(read)
  }
  try {
    for (;;) {
      throwIfAborted(signal, 'Listing')
      if (failures.length > 0) throw failures[0]
      while (waiting.length > 0 && reading.size < readsAtOnce) begin(waiting.pop() ?? '')
      const result = results.pop()
      if (result === undefined) {
        if (reading.size === 0) return
        await Promise.race(reading)
        continue
      }
      const { relative, below, links, holdsFile } = result
      for (const name of below) {
        if (!isThorough && isContainerOfOne(name)) yield name
        else waiting.push(name)
      }
      if (holdsFile && relative !== '') yield relative
      for (const link of links) {
        if (!(await mayHideBackups(path, link))) continue
        if (onForeignLink && relative === '' && (await isForeign(join(path, link), link))) onForeignLink(link)
        else yield link
      }
    }
  } finally {
    await Promise.all(reading)
  }
}

/** Concurrent reads of directories: most of the time of one is spent on the way to another thread and back. */
const readsAtOnce = 16

/** What a directory below the root holds. */
interface DirectoryRead {
  readonly relative: string
  readonly below: readonly string[]
  readonly links: readonly string[]
  readonly holdsFile: boolean
}

async function readDirectory(root: string, relative: string): Promise<DirectoryRead> {
  const below: string[] = []
  const links: string[] = []
  let holdsFile = false
  try {
    for (const entry of await readdir(join(root, relative), { withFileTypes: true })) {
      if (entry.name.startsWith('.') || (relative === '' && entry.name === 'lost+found')) continue
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`
      if (entry.isDirectory()) below.push(name)
      else if (entry.isSymbolicLink() && !looksLikeBackupObject(entry.name)) links.push(name)
      else holdsFile = true
      holdsFile ||= looksLikeManifest(entry.name)
    }
  } catch (error) {
    const errno = errnoOf(error)
    // EACCES: the listing of this directory as a container rejects.
    if (errno === 'EACCES' && relative !== '') holdsFile = true
    // ENOENT: a delete removed the directory meanwhile.
    else if (errno !== 'ENOENT') throw error
  }
  return { relative, below, links, holdsFile }
}

/**
 * Whether a link in the root is not a container that was moved elsewhere: the directory it leads to holds no object of a backup
 * itself. Automatic containers are below directories of one or two characters, and hold theirs further down.
 */
async function isForeign(path: string, name: string): Promise<boolean> {
  if (name.length <= 2) return false
  try {
    for await (const entry of await opendir(path)) if (looksLikeBackupObject(entry.name)) return false
    return true
  } catch {
    return false
  }
}

/** Whether a link leads to a directory that is not searched anyway, or to nothing that is there now. */
async function mayHideBackups(root: string, link: string): Promise<boolean> {
  try {
    const target = await realpath(join(root, link))
    if (target.startsWith((await realpath(root)) + sep)) return false
    return (await stat(target)).isDirectory()
  } catch {
    return true
  }
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, directoryMode)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
  await chmod(path, directoryMode)
  return true
}
