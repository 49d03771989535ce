import { chmod, mkdir, open, opendir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { throwIfAborted } from '@stowage/backup-core'
import { errnoOf } from './errors.js'
import { checkDirectory, containerSegments, isAutomaticContainer } from './paths.js'

/** Of every directory that is made here, whatever the umask: as Cinder's. */
const directoryMode = 0o770

/** How often making a container is begun again when a delete removes an empty parent between two steps. */
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

/** Makes a container below a root that is there, each directory durable before the next. */
export async function makeContainer(root: string, container: string, fsync: boolean): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      let path = root
      for (const segment of containerSegments(container)) {
        path = join(path, segment)
        if (await makeDirectory(path)) await syncDirectory(dirname(path), fsync)
        else await checkDirectory(path, container)
      }
      return
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
      // Another delete may have been first. Whatever else keeps a directory, a delete has not failed for it.
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

/** Names of the regular files in a directory that begin with the prefix. Dot files are temporary, or not ours. */
export async function* fileNames(path: string, prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const entry of await opendir(path, { bufferSize: 1024 })) {
    throwIfAborted(signal, 'Listing')
    if (entry.isFile() && !entry.name.startsWith('.') && entry.name.startsWith(prefix)) yield entry.name
  }
}

/**
 * Every directory below `path`, at any depth, that holds a file, by its path from there. Links are not followed, nor
 * dot directories: file servers keep snapshots of the whole store in those.
 */
export async function* directoriesWithFiles(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  const waiting = ['']
  for (let relative = waiting.pop(); relative !== undefined; relative = waiting.pop()) {
    let holdsFile = false
    try {
      for await (const entry of await opendir(join(path, relative), { bufferSize: 1024 })) {
        throwIfAborted(signal, 'Listing')
        if (entry.name.startsWith('.') || (relative === '' && entry.name === 'lost+found')) continue
        if (entry.isDirectory()) waiting.push(relative === '' ? entry.name : `${relative}/${entry.name}`)
        else holdsFile ||= entry.isFile()
      }
    } catch (error) {
      // A delete took it while we looked.
      if (errnoOf(error) !== 'ENOENT') throw error
    }
    if (holdsFile && relative !== '') yield relative
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
