import { throwIfAborted } from '@stowage/backup-core'
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from './errors.js'
import { looksLikeBackupObject } from './paths.js'

/** The contents of a directory: objects of a backup, other files, or at most empty directories. */
export type DirectoryContents = 'backups' | 'files' | 'nothing'

/** The maximum number of directories to search: the caller may name a directory such as `/` by mistake. */
const maxDirectories = 100_000

/** Names that file systems and file servers create in an empty root directory. */
const fileSystemNames = new Set(['lost+found', '.snapshot', '.zfs'])

/**
 * Searches for the first object of a backup below the root, at any depth: Cinder's own containers are three levels down.
 * Does not follow links, and skips dot directories. Temporary files of Stowage do not count as files.
 *
 * Rejects with EACCES if it finds no backup and could not read every directory.
 */
export async function surveyDirectory(root: string, signal?: AbortSignal): Promise<DirectoryContents> {
  let contents: DirectoryContents = 'nothing'
  let unreadable: Error | undefined
  const pending = [root]
  let directories = 0
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (++directories > maxDirectories) return 'files'
    try {
      for await (const { name, isDirectory } of entriesOf(path)) {
        throwIfAborted(signal, 'The search for backups')
        if (path === root && isOfFileSystem(name)) continue
        if (isDirectory && !name.startsWith('.')) pending.push(join(path, name))
        else if (path !== root && !isDirectory && looksLikeBackupObject(name)) return 'backups'
        else if (!isTemporary(name)) contents = 'files'
      }
    } catch (error) {
      const errno = errnoOf(error)
      // Another program may remove a directory after its parent was listed.
      if (errno === 'ENOENT' && path !== root) continue
      if (errno !== 'EACCES' || path === root || !(error instanceof Error)) throw error
      unreadable ??= error
    }
  }
  if (unreadable !== undefined) throw unreadable
  return contents
}

async function* entriesOf(
  path: string,
): AsyncGenerator<{ readonly name: string; readonly isDirectory: boolean }> {
  for await (const entry of await opendir(path, { bufferSize: 1024 })) {
    yield { name: entry.name, isDirectory: entry.isDirectory() }
  }
}

function isOfFileSystem(name: string): boolean {
  return fileSystemNames.has(name) || name.startsWith('.nfs')
}

function isTemporary(name: string): boolean {
  return name.startsWith('.stowage-')
}
