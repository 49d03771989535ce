import type { RemoveTemporariesOptions, TemporaryObject } from '@stowage/backup-core'
import { throwIfAborted } from '@stowage/backup-core'
import { lstat, opendir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { removeIfEmpty } from './directories.js'
import { errnoOf, ignoring } from './errors.js'

/** Names of temporary files of the writer, of locks and of the probe; not of the mark of a store. */
const temporaryName = /^\.stowage-[0-9a-f-]+\.(?:tmp|lock|probe)$/

/**
 * Finds the temporary files of killed programs below a root, and removes them unless `dryRun` is set. Also removes empty
 * automatic containers.
 */
export async function removeTemporaryFiles(
  root: string,
  { olderThan, dryRun = false, signal }: RemoveTemporariesOptions,
): Promise<TemporaryObject[]> {
  const found: TemporaryObject[] = []
  for await (const { container, name } of temporaryFilesBelow(root, signal)) {
    throwIfAborted(signal, 'Removing temporary files')
    const path = join(root, container, name)
    const stat = await ignoring('ENOENT', lstat(path))
    if (name === '' && stat?.isDirectory() && stat.mtimeMs < olderThan.getTime()) {
      if (!dryRun) await removeIfEmpty(root, container)
      continue
    }
    if (!stat?.isFile() || stat.mtimeMs >= olderThan.getTime()) continue
    if (!dryRun) {
      await ignoring('ENOENT', unlink(path))
      if (container !== '') await removeIfEmpty(root, container)
    }
    found.push({ container, name, sizeBytes: stat.size, modifiedAt: stat.mtime })
  }
  return found
}

/** Yields the temporary files, and each empty container with an empty `name`. */
async function* temporaryFilesBelow(
  root: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly container: string; readonly name: string }> {
  const pending = ['']
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    const names: string[] = []
    let isEmpty = container !== ''
    try {
      for await (const entry of await opendir(join(root, container), { bufferSize: 1024 })) {
        throwIfAborted(signal, 'Searching for temporary files')
        isEmpty = false
        if (temporaryName.test(entry.name)) names.push(entry.name)
        else if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'lost+found') {
          pending.push(container === '' ? entry.name : `${container}/${entry.name}`)
        }
      }
    } catch (error) {
      // Removed meanwhile, or another user's: this one left no files there.
      if (container === '' || !['ENOENT', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
      continue
    }
    // Yielded after the directory is closed, since the caller may remove it.
    for (const name of names) yield { container, name }
    if (isEmpty) yield { container, name: '' }
  }
}
