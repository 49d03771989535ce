import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { VolumeExtent } from '../contracts/volume.js'
import { throwIfAborted } from '../errors/backup-error.js'
import { errnoOf } from './positional-io.js'

/** Fewer bytes of holes than this are read faster than the program starts that lists them. */
export const WORTHWHILE_HOLE_BYTES = 64 * 1024 * 1024

/** The numbers of Linux: 3 is SEEK_DATA, 4 is SEEK_HOLE, and 6 is ENXIO, no data to the end (lseek(2)). */
const perlProgram = `
for (my $at = 0; ; ) {
  my $data = sysseek(STDIN, $at, 3);
  if (!defined $data) { last if $! + 0 == 6; exit 1 }
  $at = sysseek(STDIN, $data, 4);
  exit 1 if !defined $at;
  printf "%d %d\\n", $data, $at;
}
print "end\\n";
`

const pythonProgram = `
import os
at = 0
while True:
    try:
        data = os.lseek(0, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != 6:
            raise
        break
    at = os.lseek(0, data, os.SEEK_HOLE)
    print(data, at)
print("end")
`

/** A program and its arguments, which prints a line for each extent of data of its standard input, and then `end`. */
export type HoleProgram = readonly [command: string, ...args: string[]]

/** Node has no `lseek`. Nearly every Linux has one of these: perl is in Debian's base, Python in OpenStack's. */
export const HOLE_PROGRAMS: readonly HoleProgram[] = [
  ['perl', '-e', perlProgram],
  ['python3', '-I', '-S', '-c', pythonProgram],
]

/** Options of {@link dataExtents}. */
export interface DataExtentsOptions {
  /** @default perl and Python */
  readonly programs?: readonly HoleProgram[]
  readonly signal?: AbortSignal | undefined
}

/**
 * Yields the extents of an open file that hold data, as the file system reports them. What is not known counts as data:
 * all of the file where no program runs, and the rest of it where one ends without `end`.
 *
 * Recent writes are flushed first: ZFS has more than once reported them as a hole until they reached the disk (OpenZFS
 * issues 11900 and 15526).
 */
export async function* dataExtents(
  handle: FileHandle,
  sizeBytes: number,
  { programs = HOLE_PROGRAMS, signal }: DataExtentsOptions = {},
): AsyncGenerator<VolumeExtent> {
  let reachedBytes = 0
  for (const program of (await isOnDisk(handle)) ? programs : []) {
    throwIfAborted(signal, 'Searching for holes')
    const child = start(program, handle)
    if (!child) continue
    // Resolves when the program has ended, or could not be started.
    const ended = once(child, 'close').catch(() => undefined)
    const onAbort = (): boolean => child.kill()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const lines = child.stdout ? createInterface({ input: child.stdout, crlfDelay: Infinity }) : []
      for await (const line of lines) {
        if (line === 'end') return
        const extent = extentOf(line, reachedBytes)
        if (!extent) break
        reachedBytes = extent.offsetBytes + extent.lengthBytes
        yield extent
      }
      throwIfAborted(signal, 'Searching for holes')
    } finally {
      signal?.removeEventListener('abort', onAbort)
      child.kill()
      await ended
    }
    if (reachedBytes > 0) break
  }
  if (sizeBytes > reachedBytes) yield { offsetBytes: reachedBytes, lengthBytes: sizeBytes - reachedBytes }
}

/** Flushes a file. Returns whether all that was written to it is on the disk, where the file system looks for holes. */
async function isOnDisk(handle: FileHandle): Promise<boolean> {
  try {
    await handle.sync()
    return true
  } catch (error) {
    // A read-only file system has nothing to flush (fsync(2)).
    return ['EINVAL', 'EROFS'].includes(errnoOf(error) ?? '')
  }
}

/** Undefined where this process cannot start a program. */
function start([command, ...args]: HoleProgram, handle: FileHandle): ChildProcess | undefined {
  try {
    return spawn(command, args, {
      // The open file itself: the path may lead elsewhere by now.
      stdio: [handle.fd, 'pipe', 'ignore'],
      // No other variable of the environment may change what it does.
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    })
  } catch {
    return undefined
  }
}

function extentOf(line: string, reachedBytes: number): VolumeExtent | undefined {
  const [, start, end] = /^(\d{1,16}) (\d{1,16})$/.exec(line) ?? []
  const offsetBytes = Number(start)
  const lengthBytes = Number(end) - offsetBytes
  return offsetBytes >= reachedBytes && lengthBytes > 0 ? { offsetBytes, lengthBytes } : undefined
}
