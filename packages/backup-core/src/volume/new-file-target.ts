import { constants, type BigIntStats } from 'node:fs'
import { link, lstat, open, opendir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { errnoOf, targetError, writeFully } from './positional-io.js'
import {
  ownIdentity,
  removeDeadMark,
  stateOf,
  type ProcessIdentity,
  type ProcessState,
} from './restore-mark.js'
import { sameFile } from './file-volume.js'
import type { OpenTarget, TargetRequirements } from '../contracts/volume.js'
import { createHash, randomBytes } from 'node:crypto'

const createExclusively = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

/**
 * Opens a target where there is no file yet. It is written under a temporary name in the same directory, and gets its own
 * name when it is whole: what bears that name is a whole volume, whatever becomes of the process.
 */
export async function openNewFileTarget(
  path: string,
  create: boolean,
  requirements: TargetRequirements,
): Promise<OpenTarget> {
  if (!create) {
    const message = `There is no ${path}, and it was not to be created. Create it first, or set \`create\`.`
    throw new BackupError('TARGET_WRITE', message)
  }
  await requireDirectory(path)
  await refuseDanglingLink(path)
  // Resolved now, for a working directory that changes under the restore.
  const finalPath = resolve(path)
  await removeDeadMark(finalPath)
  const partialPath = await partialPathOf(finalPath)
  // For the owner's eyes alone, whatever the umask: a disk image holds every file of its machine, keys included.
  const handle = await open(partialPath, createExclusively, 0o600).catch((cause: unknown) => {
    throw targetError(cause, path)
  })
  const target = new NewFileTarget(finalPath, partialPath, handle)
  try {
    // A hole of the whole size: the file system says at once what it cannot hold.
    await handle.truncate(requirements.volumeSizeBytes)
    throwIfAborted(requirements.signal, `Opening ${path}`)
    return target
  } catch (error) {
    await target.close()
    await target.discard()
    throw targetError(error, path)
  }
}

/** ENOENT says of a new file that its directory is missing, but not which path it means. */
async function requireDirectory(path: string): Promise<void> {
  const directory = dirname(path)
  await stat(directory).catch((cause: unknown) => {
    if (errnoOf(cause) !== 'ENOENT') throw targetError(cause, path)
    const message = `Cannot create ${path}: there is no directory ${directory}. Create it first, or check the path.`
    throw new BackupError('TARGET_WRITE', message, { cause })
  })
}

async function refuseDanglingLink(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return
  const message = `${path} is a symbolic link to nothing, or was created just now. Name the file itself.`
  throw new BackupError('TARGET_WRITE', message)
}

class NewFileTarget implements OpenTarget {
  readonly readsAsZeros = true
  #identity: BigIntStats | undefined

  constructor(
    private readonly path: string,
    private readonly partialPath: string,
    private readonly handle: FileHandle,
  ) {}

  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await writeFully(this.handle, bytes, this.path, offsetBytes)
  }

  async finish(): Promise<void> {
    try {
      await this.handle.sync()
      this.#identity = await this.handle.stat({ bigint: true })
      await nameExclusively(this.partialPath, this.path)
      await syncDirectory(dirname(this.path))
    } catch (error) {
      throw targetError(error, this.path)
    }
  }

  async close(): Promise<void> {
    // A network file system may report a failed write only now.
    await this.handle.close().catch((error: unknown) => {
      throw targetError(error, this.path)
    })
  }

  /** Leaves no file. The temporary name is this restore's own; behind the final one another program may have put a file. */
  async discard(): Promise<void> {
    try {
      await unlink(this.partialPath).catch(ignoreMissing)
      if (this.#identity === undefined) return
      const found = await lstat(this.path, { bigint: true })
      if (sameFile(found, this.#identity)) await unlink(this.path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw targetError(error, this.path)
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error
}

/** What file systems without hard links say of one: FAT, some network and FUSE file systems. */
const noHardLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EINVAL']

/** Gives a file its final name, which must be free: a rename would replace what another program has put there meanwhile. */
async function nameExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
    await unlink(from)
    return
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw taken(to, error)
    if (!noHardLinks.includes(errnoOf(error) ?? '')) throw error
  }
  const claim = await open(to, createExclusively, 0o600).catch((error: unknown) => {
    throw errnoOf(error) === 'EEXIST' ? taken(to, error) : error
  })
  await claim.close()
  await rename(from, to)
}

function taken(path: string, cause: unknown): BackupError {
  const message = `${path} was created by another program while the restore ran, and is left as it is. Restore to another path, or set \`overwrite\` to write over it.`
  return new BackupError('TARGET_NOT_EMPTY', message, { cause })
}

/** The end of a temporary name: which process made it, and a part of its own. */
const ownedSuffix = /stowage-([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})-([0-9]+)-([0-9]+)-[0-9a-f]{12}\.partial$/

/** That of releases that did not note the process. */
const anonymousSuffix = /stowage-[0-9a-f]{12}\.partial$/

/** The temporary name of a file that this process restores. Another process can see from it whether this one still runs. */
export async function partialPathOf(finalPath: string): Promise<string> {
  const own = await ownIdentity()
  const { place, boot, namespace } = digestsOf(own)
  const owner = `${place}${boot}${namespace}-${own.pid}-${own.started === '' ? '0' : own.started}`
  const suffix = `stowage-${owner}-${randomBytes(6).toString('hex')}.partial`
  return join(dirname(finalPath), nameBeside(basename(finalPath), suffix))
}

/**
 * Removes the temporary files that killed restores into `finalPath` left, as far as their processes are known to have
 * ended, and names the others. A failure here does not fail the restore.
 */
export async function removeLeftPartials(finalPath: string, warn: TargetRequirements['warn']): Promise<void> {
  for (const name of await partialNamesOf(finalPath)) {
    const path = join(dirname(finalPath), name)
    const state = await stateOfOwner(name)
    if (state === 'alive') continue
    const removal = state === 'dead' ? await unlink(path).catch((error: unknown) => errnoOf(error) ?? '') : ''
    if (removal === 'ENOENT') continue
    warn?.(
      'RESTORE_INCOMPLETE',
      removal === undefined
        ? `An earlier restore into ${finalPath} did not finish: the ${path} that it left was removed.`
        : `Another restore into ${finalPath} has left ${path}, or still writes it. Remove it if no restore runs any more.`,
    )
  }
}

async function partialNamesOf(finalPath: string): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const entry of await opendir(dirname(finalPath))) {
      const suffix = (ownedSuffix.exec(entry.name) ?? anonymousSuffix.exec(entry.name))?.[0]
      if (suffix === undefined || !entry.isFile()) continue
      if (entry.name === nameBeside(basename(finalPath), suffix)) names.push(entry.name)
    }
  } catch {
    // A directory may be written to, and not be listed.
  }
  return names
}

async function stateOfOwner(name: string): Promise<ProcessState> {
  const [, place, boot, namespace, pid, started] = ownedSuffix.exec(name) ?? []
  if (place === undefined) return 'unknown'
  const own = await ownIdentity()
  const digests = digestsOf(own)
  if (place !== digests.place) return 'unknown'
  const [ownBoot = '', ownNamespace = ''] = own.pidScope.split(' ')
  const isSameBoot = boot === digests.boot
  // Another boot or namespace than this process's has no name here; what it is called does not matter.
  const pidScope = `${isSameBoot ? ownBoot : 'other'} ${namespace === digests.namespace ? ownNamespace : 'other'}`
  return stateOf({
    ...own,
    pid: Number(pid),
    pidScope: pidScope.trim(),
    started: started === '0' ? '' : (started ?? ''),
  })
}

function digestsOf({ host, machine, pidScope }: ProcessIdentity): {
  readonly place: string
  readonly boot: string
  readonly namespace: string
} {
  const [boot = '', namespace = ''] = pidScope.split(' ')
  return { place: digestOf(`${host}\n${machine}`), boot: digestOf(boot), namespace: digestOf(namespace) }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** The longest name of a file, in bytes of UTF-8, on every common file system. */
const MAX_NAME_BYTES = 255

/**
 * The name of a hidden file beside another one: `.disk.img.SUFFIX`. A name that would be too long is cut, and has a part of
 * the SHA-256 of the whole one, so that two long names stay apart.
 */
export function nameBeside(name: string, suffix: string): string {
  const plain = `.${name}.${suffix}`
  if (Buffer.byteLength(plain) <= MAX_NAME_BYTES) return plain
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16)
  const room = MAX_NAME_BYTES - Buffer.byteLength(`.~${digest}.${suffix}`)
  let cut = ''
  let length = 0
  for (const character of name) {
    length += Buffer.byteLength(character)
    if (length > room) break
    cut += character
  }
  return `.${cut}~${digest}.${suffix}`
}

/** Makes a new name durable. Not every system or file system can: there the name is as durable as it gets. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
  }
}
