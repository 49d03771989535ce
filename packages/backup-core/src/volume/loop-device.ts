import { readFile, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The loop device that a file is attached to (`loop0`), where there is one. A file under a mounted loop device looks
 * like any other, but writing to it destroys the mounted file system: no lock or O_EXCL tells.
 */
export async function attachedLoopDevice(path: string, root = '/'): Promise<string | undefined> {
  const block = join(root, 'sys/block')
  try {
    const file = await realpath(path)
    for (const name of await readdir(block)) {
      if (name.startsWith('loop') && (await backingFile(join(block, name))) === file) return name
    }
  } catch {
    // No Linux, or a container that hides /sys.
  }
  return undefined
}

async function backingFile(device: string): Promise<string | undefined> {
  try {
    return (await readFile(join(device, 'loop/backing_file'), 'utf8')).replace(/\n$/, '')
  } catch {
    // A loop device that is not attached has no such file.
    return undefined
  }
}
