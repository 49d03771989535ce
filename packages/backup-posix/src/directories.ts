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

/** The mode of every directory that the driver makes, whatever the umask; Cinder's is the same. */
const directoryMode = 0o770

/** How often making a container is attempted: a delete may remove an empty parent between two steps. */
const attempts = 10

/** Makes the root and its parents if they are missing, and makes their names durable. */
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

/** Removes an automatic container and its parents if they are empty. */
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
 * Yields the names of the objects in a directory that begin with the prefix: regular files without a leading dot. Includes
 * a manifest that is a link, a directory or a FIFO: it cannot be read, but its backup must not vanish from a list.
 */
export async function* fileNames(path: string, prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const entry of await opendir(path, { bufferSize: 1024 })) {
    throwIfAborted(signal, 'Listing')
    if (isObject(entry, prefix)) yield entry.name
  }
}

/**
 * Lists an automatic container with one readdir(3), before its path is checked: a search reads tens of thousands of them,
 * most without a match. Returns undefined if the caller must check the path first: for any other container, a store that is
 * not open, or a directory that cannot be read, whose file system may be unmounted.
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
 * Yields every directory below `path`, at any depth, that holds a file, by its path relative to `path`. Does not follow
 * links, and skips dot directories, in which file servers keep snapshots of the whole store. Also yields what may hold
 * backups and cannot be listed, so that its listing fails: an unreadable directory, a link to a place outside of `path`.
 * Yields each automatic container without reading it: there may be tens of thousands, with one backup each.
 *
 * @param onForeignLink - called with the name of each link in `path` itself to a directory that is not a container; without
 *   it such links are yielded like others, since their target may hold backups
 * @param isThorough - reads automatic containers too
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
      while (waiting.length > 0 && reading.size < concurrentReads) begin(waiting.pop() ?? '')
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

/** The number of concurrent reads of directories: a read spends most of its time on the way to another thread and back. */
const concurrentReads = 16

/** The entries of a directory below the root. */
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
 * Returns whether a link in the root is not a container that was moved elsewhere: the directory that it points to holds no
 * object of a backup. Links with names of one or two characters may be parents of automatic containers.
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

/** Returns whether a link points to a directory outside of the root, or to nothing that exists now. */
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
