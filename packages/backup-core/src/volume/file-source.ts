import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { deviceNumber, deviceSizeBytes, deviceWriteCount, probeSizeBytes } from './block-device.js'
import { openFifoSource } from './fifo-source.js'
import { errnoOf, fileKind, sourceError } from './file-errors.js'
import { dataExtents, WORTHWHILE_HOLE_BYTES } from './file-holes.js'
import { readFully } from './positional-io.js'
import { markPathOf, readMark } from './restore-mark.js'
import type { OpenSource, VolumeExtent, VolumeOpenOptions } from './volume.js'

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
  const message = `${path} has ${sizeBytes} bytes, expected ${expectedBytes}. Pass its true size, or none, or check that it is the right volume.`
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
