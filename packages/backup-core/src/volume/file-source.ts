import { constants, type BigIntStats } from 'node:fs'
import { open, realpath, stat, type FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { deviceNumber, deviceSizeBytes, deviceWriteCount, probeSizeBytes } from './block-device.js'
import { openFifoSource } from './fifo-source.js'
import { errnoOf, fileKind, readFully, sourceError } from './positional-io.js'
import { markPathOf, readMark } from './restore-mark.js'
import type { OpenSource, VolumeExtent, VolumeOpenOptions } from '../contracts/volume.js'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How a file is read. */
export interface FileSourceSettings {
  /** Holes of a sparse file are read too, instead of asking where they are. */
  readonly readHoles: boolean
  /** How many bytes the source must have; undefined where any number will do. */
  readonly sizeBytes: number | undefined
}

/** Opens a regular file, a block device or a pipe for reading. */
export async function openFileSource(
  path: string,
  { readHoles, sizeBytes }: FileSourceSettings,
  options: VolumeOpenOptions = {},
): Promise<OpenSource> {
  throwIfAborted(options.signal, `Opening ${path}`)
  // Looked at before it is opened: opening a tape or a watchdog has effects, and opening a pipe can wait for ever.
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw sourceError(error, path)
  })
  if (found.isFIFO()) return openFifoSource(path, sizeBytes, options)
  if (!found.isFile() && !found.isBlockDevice()) {
    const message = `${path} is ${fileKind(found)}. Name a regular file, a block device or a pipe.`
    throw new BackupError('NOT_A_FILE', message)
  }
  if (found.isFile()) await refuseUnfinished(path)
  const mayBeGenerated = found.isFile() && found.size === 0n
  // A read of some generated files waits for what comes next, in a thread that no abort reaches.
  const flags = constants.O_RDONLY | (mayBeGenerated ? constants.O_NONBLOCK : 0)
  const handle = await open(path, flags).catch((error: unknown) => {
    throw sourceError(error, path)
  })
  try {
    if (mayBeGenerated) await refuseGenerated(path, handle)
    const stats = await handle.stat({ bigint: true })
    const source = stats.isBlockDevice() ? await deviceState(handle, stats) : fileState(handle, stats)
    if (sizeBytes !== undefined && source.sizeBytes !== sizeBytes) throw wrongSize(path, source, sizeBytes)
    throwIfAborted(options.signal, `Opening ${path}`)
    const mayHaveHoles =
      !readHoles && process.platform === 'linux' && source.holeBytes >= WORTHWHILE_HOLE_BYTES
    return new FileSource(path, handle, source, mayHaveHoles)
  } catch (error) {
    await handle.close()
    throw sourceError(error, path)
  }
}

/** A file that a restore into it left unfinished holds parts of two volumes. */
async function refuseUnfinished(path: string): Promise<void> {
  const realPath = await realpath(path).catch((error: unknown) => {
    throw sourceError(error, path)
  })
  const mark = await readMark(realPath)
  if (!mark) return
  throw new BackupError(
    'SOURCE_INCOMPLETE',
    `${path} is not whole: a restore of backup ${mark.backupId} into it, begun at ${mark.startedAt}, runs or did not finish. Let it end, or restore again. If the file is whole all the same, remove ${markPathOf(realPath)}.`,
  )
}

/** Files of /proc and the like are made while they are read, and say that they have no bytes. */
async function refuseGenerated(path: string, handle: FileHandle): Promise<void> {
  const { bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0).catch((error: unknown) => {
    if (errnoOf(error) === 'EAGAIN') return { bytesRead: 1 }
    throw error
  })
  if (bytesRead === 0) return
  throw new BackupError(
    'NOT_A_FILE',
    `${path} has a size of 0 bytes, and gives bytes when it is read, as files of /proc do. Pipe it: back up the output of \`cat\`, as a stream.`,
  )
}

function wrongSize(path: string, { sizeBytes }: SourceState, expectedBytes: number): BackupError {
  const message = `${path} has ${sizeBytes} bytes, expected ${expectedBytes} (\`sizeBytes\`). Check that it is the right volume, or correct the expected size.`
  return new BackupError('SOURCE_CHANGED', message)
}

/** What kind of source it is: its size, and how to find out that it changed. */
interface SourceState {
  readonly sizeBytes: number
  /** How much of it takes no room on the disk. */
  readonly holeBytes: number
  readonly change: () => Promise<string | undefined>
}

function fileState(handle: FileHandle, atOpen: BigIntStats): SourceState {
  const change = async (): Promise<string | undefined> => {
    const now = await handle.stat({ bigint: true })
    if (now.size !== atOpen.size) return `went from ${atOpen.size.toString()} to ${now.size.toString()} bytes`
    return now.mtimeNs === atOpen.mtimeNs ? undefined : 'was written to'
  }
  // `st_blocks` is in units of 512 bytes on Linux (stat(2)).
  const holeBytes = Number(atOpen.size - atOpen.blocks * 512n)
  return { sizeBytes: Number(atOpen.size), holeBytes, change }
}

async function deviceState(handle: FileHandle, stats: BigIntStats): Promise<SourceState> {
  const device = deviceNumber(stats)
  const sizeBytes = (await deviceSizeBytes(device)) ?? (await probeSizeBytes(handle))
  // A write to a device leaves no trace in its node's times, but the kernel counts what reached the device.
  const writes = await deviceWriteCount(device)
  const change = async (): Promise<string | undefined> => {
    const now = (await deviceSizeBytes(device)) ?? sizeBytes
    if (now !== sizeBytes) return `went from ${sizeBytes} to ${now} bytes`
    return (await deviceWriteCount(device)) === writes ? undefined : 'was written to'
  }
  return { sizeBytes, holeBytes: 0, change }
}

class FileSource implements OpenSource {
  readonly seekable = true
  readonly sizeBytes: number
  readonly extents?: () => AsyncIterable<VolumeExtent>

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly state: SourceState,
    mayHaveHoles: boolean,
  ) {
    this.sizeBytes = state.sizeBytes
    if (mayHaveHoles) this.extents = () => dataExtents(handle, state.sizeBytes)
  }

  async read(into: Uint8Array, offsetBytes: number, options: VolumeOpenOptions = {}): Promise<number> {
    const wanted = Math.max(0, Math.min(into.length, this.sizeBytes - offsetBytes))
    const at = { path: this.path, offsetBytes, signal: options.signal }
    const read = await readFully(this.handle, into.subarray(0, wanted), at)
    if (read === wanted) return read
    const end = offsetBytes + read
    throw new BackupError(
      'SOURCE_CHANGED',
      `${this.path} shrank while it was read: it had ${this.sizeBytes} bytes and now ends at ${end}. ` +
        'Back up a snapshot, or stop what writes to it, and run the backup again.',
      { offsetBytes: end },
    )
  }

  async changed(): Promise<string | undefined> {
    const change = await this.state.change().catch((error: unknown) => {
      throw sourceError(error, this.path)
    })
    if (change === undefined) return undefined
    return `${this.path} ${change} while it was backed up: the backup may mix old and new data. Back up a snapshot instead.`
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

/** Fewer holes than this are read faster than a program starts that says where they are. */
export const WORTHWHILE_HOLE_BYTES = 64 * 1024 * 1024

/** Where Linux has them: 3 is SEEK_DATA, 4 is SEEK_HOLE, and 6 is ENXIO, no data to the end (lseek(2)). */
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

/** A program and its arguments, which writes a line for each extent of data of its standard input, and `end`. */
export type HoleProgram = readonly [command: string, ...args: string[]]

/** Node has no `lseek`. One of these is on nearly every Linux: perl is in Debian's base, Python in OpenStack's. */
export const HOLE_PROGRAMS: readonly HoleProgram[] = [
  ['perl', '-e', perlProgram],
  ['python3', '-I', '-S', '-c', pythonProgram],
]

/**
 * Where an open file holds data, as the file system says. What nobody can tell is data: all of the file where no program
 * can be asked, and the rest of it where one ends before it said that it is done.
 *
 * What was written shortly before is flushed first: ZFS has called that a hole, more than once, while it was on its way
 * to the disk (OpenZFS issues 11900 and 15526).
 */
export async function* dataExtents(
  handle: FileHandle,
  sizeBytes: number,
  programs: readonly HoleProgram[] = HOLE_PROGRAMS,
): AsyncGenerator<VolumeExtent> {
  let reachedBytes = 0
  for (const program of (await isOnDisk(handle)) ? programs : []) {
    const child = start(program, handle)
    if (!child) continue
    const ended = endOf(child)
    try {
      for await (const line of linesOf(child)) {
        if (line === 'end') return
        const extent = extentOf(line, reachedBytes)
        if (!extent) break
        reachedBytes = extent.offsetBytes + extent.lengthBytes
        yield extent
      }
    } finally {
      child.kill()
      await ended
    }
    if (reachedBytes > 0) break
  }
  if (sizeBytes > reachedBytes) yield { offsetBytes: reachedBytes, lengthBytes: sizeBytes - reachedBytes }
}

/** Whether all that was written to a file is where the file system looks for holes. */
async function isOnDisk(handle: FileHandle): Promise<boolean> {
  try {
    await handle.sync()
    return true
  } catch (error) {
    // A file system that knows no writes has none to flush (fsync(2)).
    return ['EINVAL', 'EROFS'].includes(errnoOf(error) ?? '')
  }
}

/** Undefined where this process may start none. */
function start([command, ...args]: HoleProgram, handle: FileHandle): ChildProcess | undefined {
  try {
    return spawn(command, args, {
      // It asks the very file that is read, whatever has become of the path.
      stdio: [handle.fd, 'pipe', 'ignore'],
      // Nothing else of the environment is to change what it does.
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    })
  } catch {
    return undefined
  }
}

/** Resolves when a program is gone, or was never there. */
async function endOf(child: ChildProcess): Promise<void> {
  await once(child, 'close').catch(() => undefined)
}

function linesOf({ stdout }: ChildProcess): AsyncIterable<string> | Iterable<string> {
  return stdout ? createInterface({ input: stdout, crlfDelay: Infinity }) : []
}

function extentOf(line: string, reachedBytes: number): VolumeExtent | undefined {
  const [, start, end] = /^(\d{1,16}) (\d{1,16})$/.exec(line) ?? []
  const offsetBytes = Number(start)
  const lengthBytes = Number(end) - offsetBytes
  return offsetBytes >= reachedBytes && lengthBytes > 0 ? { offsetBytes, lengthBytes } : undefined
}
