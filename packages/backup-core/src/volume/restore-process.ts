import { createHash, randomBytes } from 'node:crypto'
import { opendir, readFile, readlink, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { TargetRequirements } from '../contracts/volume.js'
import { errnoOf } from './positional-io.js'

/*
 * Which process writes a restored file. A restore notes its process in the name of a temporary file and in a mark, so that
 * the next one can find out whether it was killed.
 */

/** Digests of the machine, its boot and the namespace of process ids; the process id; when it started (0: not known). */
const ownerPattern = /([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})-([0-9]+)-([0-9]+)/

/** Whether another process still runs; `unknown` where it is on another machine, or not visible from here. */
export type ProcessState = 'alive' | 'dead' | 'unknown'

/** Identifies this process in the names of temporary files and in marks. */
export async function processIdentity(): Promise<string> {
  const { machine, boot, namespace } = await ownHost()
  return `${machine}${boot}${namespace}-${process.pid}-${await startTicks(process.pid)}`
}

/** Finds out from its note whether a process still runs. */
export async function stateOfOwner(owner: string): Promise<ProcessState> {
  const [, machine, boot, namespace, pid, started = '0'] = ownerPattern.exec(owner) ?? []
  const own = await ownHost()
  if (machine !== own.machine) return 'unknown'
  // No process outlives its boot; without a machine id, the other one may be another machine of the same name.
  if (boot !== own.boot) return own.hasMachineId ? 'dead' : 'unknown'
  if (namespace !== own.namespace) return 'unknown'
  if (!isRunning(Number(pid))) return 'dead'
  const now = await startTicks(Number(pid))
  return now !== '0' && started !== '0' && now !== started ? 'dead' : 'alive'
}

interface ProcessHost {
  readonly machine: string
  readonly boot: string
  readonly namespace: string
  readonly hasMachineId: boolean
}

async function ownHost(): Promise<ProcessHost> {
  const machineId = (await textOf('/etc/machine-id')).trim()
  return {
    machine: digestOf(`${hostname()}\n${machineId}`),
    boot: digestOf((await textOf('/proc/sys/kernel/random/boot_id')).trim()),
    namespace: digestOf(await readlink('/proc/self/ns/pid').catch(() => '')),
    hasMachineId: machineId !== '',
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as another user.
    return errnoOf(error) !== 'ESRCH'
  }
}

/** Field 22 of `/proc/PID/stat`, since process ids are reused; the second field is the program's name, of any characters. */
async function startTicks(pid: number): Promise<string> {
  const text = await textOf(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

function digestOf(text: string, length = 8): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** A unique temporary name for a file that this process restores. */
export async function partialPathOf(finalPath: string): Promise<string> {
  const suffix = `stowage-${await processIdentity()}-${randomBytes(6).toString('hex')}.partial`
  return join(dirname(finalPath), nameBeside(basename(finalPath), suffix))
}

/** The end of a temporary name. */
const partialSuffix = /stowage-([0-9a-f]{24}-[0-9]+-[0-9]+)-[0-9a-f]{12}\.partial$/

/**
 * Removes the temporary files that killed restores into `finalPath` left, and warns of those whose process may still run. A
 * failure here does not fail the restore.
 */
export async function removeLeftPartials(finalPath: string, warn: TargetRequirements['warn']): Promise<void> {
  for (const { path, owner } of await findPartials(finalPath)) {
    const state = await stateOfOwner(owner)
    if (state === 'alive') continue
    const removal = state === 'dead' ? await unlink(path).catch((error: unknown) => errnoOf(error) ?? '') : ''
    if (removal === 'ENOENT') continue
    warn?.(
      'RESTORE_INCOMPLETE',
      removal === undefined
        ? `An earlier restore into ${finalPath} did not finish: its temporary file ${path} was removed.`
        : `Another restore into ${finalPath} left ${path}, or still writes it. Remove it if no restore is running.`,
    )
  }
}

async function findPartials(finalPath: string): Promise<{ readonly path: string; readonly owner: string }[]> {
  const found: { path: string; owner: string }[] = []
  try {
    for await (const entry of await opendir(dirname(finalPath))) {
      const [suffix, owner] = partialSuffix.exec(entry.name) ?? []
      if (suffix === undefined || owner === undefined || !entry.isFile()) continue
      if (entry.name === nameBeside(basename(finalPath), suffix))
        found.push({ path: join(dirname(finalPath), entry.name), owner })
    }
  } catch {
    // A directory may be writable without being readable.
  }
  return found
}

/** The maximum length of a file name, in bytes of UTF-8, on every common file system. */
const MAX_NAME_BYTES = 255

/**
 * The name of a hidden file beside another one: `.disk.img.SUFFIX`. A name that would be too long is cut, with a part of the
 * SHA-256 of the whole name, so that two long names have different ones.
 */
export function nameBeside(name: string, suffix: string): string {
  const plain = `.${name}.${suffix}`
  if (Buffer.byteLength(plain) <= MAX_NAME_BYTES) return plain
  const end = `~${digestOf(name, 16)}.${suffix}`
  let cut = ''
  for (const character of name) {
    if (Buffer.byteLength(`.${cut}${character}${end}`) > MAX_NAME_BYTES) break
    cut += character
  }
  return `.${cut}${end}`
}
