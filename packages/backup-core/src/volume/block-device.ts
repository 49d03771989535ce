import type { BigIntStats } from 'node:fs'
import { readdir, readFile, realpath, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessErrno } from './positional-io.js'

/** A device's numbers as Linux writes them in /sys and /proc: `8:1`. */
export type DeviceNumber = `${number}:${number}`

/** The number of a device from `st_rdev`, where glibc interleaves 12 bits of major and 20 of minor, with more above. */
export function deviceNumber(stats: Pick<BigIntStats, 'rdev'>): DeviceNumber {
  const { rdev } = stats
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)
  return `${Number(major)}:${Number(minor)}`
}

/** The kernel counts in units of 512 bytes, whatever the device's own sector size. */
const sysfsSectorBytes = 512

/** The size of a block device from sysfs (its `stat.size` is 0); undefined without sysfs. */
export async function deviceSizeBytes(device: DeviceNumber, root = '/'): Promise<number | undefined> {
  const text = await readIfThere(join(root, 'sys/dev/block', device, 'size'))
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) * sysfsSectorBytes : undefined
}

/** Whether a device is set read-only. Linux opens such a device for writing, and only fails the writes. */
export async function deviceReadOnly(device: DeviceNumber, root = '/'): Promise<boolean> {
  return (await readIfThere(join(root, 'sys/dev/block', device, 'ro')))?.trim() === '1'
}

/** The number of writes and discards of a device, as a text to compare; undefined where the kernel does not count them. */
export async function deviceWriteCount(device: DeviceNumber, root = '/'): Promise<string | undefined> {
  const fields = (await readIfThere(join(root, 'sys/dev/block', device, 'stat')))?.trim().split(/\s+/)
  // Fields 5 and 12 of Documentation/block/stat.rst: write I/Os and discard I/Os.
  return fields?.[4] === undefined ? undefined : `${fields[4]} ${fields[11] ?? '0'}`
}

/**
 * Finds the size of a device by reading single sectors, for systems that report it in no file: the offset of the first sector
 * that cannot be read. About 100 reads for any size.
 */
export async function probeSizeBytes(handle: FileHandle): Promise<number> {
  const sector = Buffer.alloc(sysfsSectorBytes)
  const readable = async (index: number): Promise<boolean> => {
    const reading = handle.read(sector, 0, sector.length, index * sector.length)
    // The errors of BSD's and Apple's devices past their end; any other error is a fault.
    return (await unlessErrno(reading, 'EINVAL', 'ENXIO', 'ENOSPC'))?.bytesRead === sector.length
  }
  let beyond = 1
  while (beyond < Number.MAX_SAFE_INTEGER / 1024 && (await readable(beyond - 1))) beyond *= 2
  let within = Math.floor(beyond / 2)
  while (within < beyond) {
    const middle = Math.floor((within + beyond) / 2)
    if (await readable(middle)) within = middle + 1
    else beyond = middle
  }
  return within * sector.length
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

/**
 * What uses a device or one of its partitions, as the rest of a sentence (`is mounted at /srv`); undefined when /proc and
 * /sys show no use. This names the user for the error; O_EXCL is what protects, since it covers other mount namespaces too.
 */
export async function deviceUse(device: DeviceNumber, root = '/'): Promise<string | undefined> {
  const mounts = parseMountInfo((await readIfThere(join(root, 'proc/self/mountinfo'))) ?? '')
  const useOf = async (number: string, directory: string): Promise<string | undefined> => {
    const mountPoint = mounts.get(number)
    if (mountPoint !== undefined) return `is mounted at ${mountPoint}`
    const [holder] = await listIfThere(join(directory, 'holders'))
    return holder && `is part of ${holder} (RAID, LVM, encryption or multipath)`
  }
  const directory = join(root, 'sys/dev/block', device)
  const use = await useOf(device, directory)
  if (use !== undefined) return use
  for (const name of await listIfThere(directory)) {
    const partition = join(directory, name)
    // A partition is the only child that has a file `partition`.
    if ((await readIfThere(join(partition, 'partition'))) === undefined) continue
    const number = (await readIfThere(join(partition, 'dev')))?.trim() ?? ''
    const partitionUse = await useOf(number, partition)
    if (partitionUse !== undefined) return `has a partition, ${name}, that ${partitionUse}`
  }
  return undefined
}

function listIfThere(path: string): Promise<string[]> {
  return readdir(path).catch(() => [])
}

/** The first mount point of each device in the text of /proc/self/mountinfo, by device number. */
export function parseMountInfo(text: string): Map<string, string> {
  const mounts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, , device, , mountPoint] = line.split(' ')
    if (device === undefined || mountPoint === undefined || mounts.has(device)) continue
    // The kernel writes space, tab, newline and backslash as three octal digits.
    const plain = mountPoint.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    )
    mounts.set(device, plain)
  }
  return mounts
}

/**
 * The loop device that a file is attached to (`loop0`); undefined for none. Writing to a file under a mounted loop device
 * destroys the mounted file system, and neither a lock nor O_EXCL prevents it.
 */
export async function attachedLoopDevice(path: string, root = '/'): Promise<string | undefined> {
  const block = join(root, 'sys/block')
  const file = await realpath(path).catch(() => undefined)
  for (const name of await listIfThere(block)) {
    if (!name.startsWith('loop')) continue
    // A loop device that is not attached has no such file.
    const attached = await readIfThere(join(block, name, 'loop/backing_file'))
    if (attached !== undefined && attached.replace(/\n$/, '') === file) return name
  }
  return undefined
}
