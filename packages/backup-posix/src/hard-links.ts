import { throwIfAborted } from '@stowage/backup-core'
import type { BigIntStats } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from './errors.js'

/** The number of concurrent calls of stat(2). */
const concurrentStats = 32

/**
 * Returns whether a file is a hard link to a file of the store, as `ln` and `cp -al` make them.
 *
 * Searches the store only for a regular file with more than one link: every file below the root, except in dot directories,
 * behind symbolic links, and in directories that this user cannot read.
 */
export async function isHardLinkInto(root: string, path: string, signal?: AbortSignal): Promise<boolean> {
  const target = await stat(path, { bigint: true }).catch(() => undefined)
  if (target?.isFile() !== true || target.nlink < 2n) return false
  let names: string[] = []
  for await (const name of filesBelow(root, signal)) {
    names.push(name)
    if (names.length < concurrentStats) continue
    if (await isAnyOf(names, target)) return true
    names = []
  }
  return isAnyOf(names, target)
}

async function isAnyOf(names: readonly string[], target: BigIntStats): Promise<boolean> {
  const found = await Promise.all(
    names.map(async (name) => {
      // The file may have been deleted meanwhile: then it is not the target.
      const file = await stat(name, { bigint: true }).catch(() => undefined)
      return file?.ino === target.ino && file.dev === target.dev
    }),
  )
  return found.includes(true)
}

async function* filesBelow(root: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const waiting = [root]
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    try {
      for await (const entry of await opendir(directory, { bufferSize: 1024 })) {
        throwIfAborted(signal, 'The restore')
        if (entry.isFile()) yield join(directory, entry.name)
        else if (entry.isDirectory() && !entry.name.startsWith('.')) waiting.push(join(directory, entry.name))
      }
    } catch (error) {
      if (!['ENOENT', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
    }
  }
}
