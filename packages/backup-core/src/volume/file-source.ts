import { close, constants, open as openDescriptor, type BigIntStats } from 'node:fs'
import { open, realpath, stat, type FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import type { OpenSource, VolumeExtent, VolumeOpenOptions } from '../contracts/volume.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { deviceNumber, deviceSizeBytes, deviceWriteCount, probeSizeBytes } from './block-device.js'
import { closeOnFailure } from './checked-volume.js'
import { dataExtents, WORTHWHILE_HOLE_BYTES } from './file-holes.js'
import { unlessErrno, fileKind, readFully, mapReadErrors } from './positional-io.js'
import { markPathOf, readRestoreMark } from './restore-mark.js'
import { streamVolume } from './stream-volume.js'

/** How a file is read. */
export interface FileSourceSettings {
  /** Reads the holes of a sparse file instead of finding out where they are. */
  readonly readHoles: boolean
  /** How many bytes the source must have; undefined for any number. */
  readonly sizeBytes: number | undefined
}

/** Opens a regular file, a block device or a pipe for reading. */
export async function openFileSource(
  path: string,
  { readHoles, sizeBytes }: FileSourceSettings,
  { signal }: VolumeOpenOptions = {},
): Promise<OpenSource> {
  throwIfAborted(signal, `Opening ${path}`)
  // Before it is opened: opening a tape or a watchdog has effects, and opening a pipe can wait for ever.
  const found = await mapReadErrors(path, () => stat(path, { bigint: true }))
  if (found.isFIFO()) return mapReadErrors(path, () => openFifoSource(path, sizeBytes, signal))
  if (!found.isFile() && !found.isBlockDevice()) {
    const message = `${path} is ${fileKind(found)}. Name a regular file, a block device or a pipe.`
    throw new BackupError('NOT_A_FILE', message)
  }
  if (found.isFile()) await assertRestoreFinished(path)
  const mayBeGenerated = found.isFile() && found.size === 0n
  // Reading some generated files waits for the next event, in a thread that no abort reaches.
  const flags = constants.O_RDONLY | (mayBeGenerated ? constants.O_NONBLOCK : 0)
  return mapReadErrors(path, async () => {
    const handle = await open(path, flags)
    return closeOnFailure(handle, async () => {
      if (mayBeGenerated) await assertNotGenerated(path, handle)
      const stats = await handle.stat({ bigint: true })
      const state = stats.isBlockDevice() ? await deviceState(handle, stats) : fileState(handle, stats)
      if (sizeBytes !== undefined && state.sizeBytes !== sizeBytes) {
        const message = `${path} has ${state.sizeBytes} bytes, expected ${sizeBytes} (\`sizeBytes\`). Check that it is the right volume, or correct the expected size.`
        throw new BackupError('SOURCE_CHANGED', message)
      }
      throwIfAborted(signal, `Opening ${path}`)
      const isSparse = process.platform === 'linux' && state.holeBytes >= WORTHWHILE_HOLE_BYTES
      return new FileSource(path, handle, state, isSparse && !readHoles)
    })
  })
}

/**
 * Opens a named pipe (or `/dev/stdin` when it is one) as a stream. A plain open or read of a pipe blocks a thread until
 * there is a writer, and no abort would end it; a socket on a non-blocking descriptor waits in the event loop instead.
 */
async function openFifoSource(
  path: string,
  sizeBytes: number | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenSource> {
  const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let socket: Socket
  try {
    socket = new Socket({ fd, readable: true, writable: false })
  } catch (error) {
    await promisify(close)(fd)
    throw error
  }
  try {
    const volume = streamVolume(socket, sizeBytes === undefined ? {} : { sizeBytes })
    return await volume.openSource(signal ? { signal } : {})
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** A file that a restore into it left unfinished holds parts of two volumes. */
async function assertRestoreFinished(path: string): Promise<void> {
  const realPath = await mapReadErrors(path, () => realpath(path))
  const mark = await readRestoreMark(realPath)
  if (!mark) return
  throw new BackupError(
    'SOURCE_INCOMPLETE',
    `${path} is incomplete: a restore of backup ${mark.backupId} into it, started at ${mark.startedAt}, is running or did not finish. Wait for it to end, or restore again. If the file is complete, remove ${markPathOf(realPath)}.`,
  )
}

/** Files of /proc and the like are generated while they are read, and have a size of 0. */
async function assertNotGenerated(path: string, handle: FileHandle): Promise<void> {
  const read = await unlessErrno(handle.read(Buffer.alloc(1), 0, 1, 0), 'EAGAIN')
  if (read?.bytesRead === 0) return
  throw new BackupError(
    'NOT_A_FILE',
    `${path} has a size of 0 bytes but can be read, as files of /proc do. Back up the output of \`cat\` as a stream instead.`,
  )
}

/** What differs between files and devices: the size, and how a change is noticed. */
interface SourceState {
  readonly sizeBytes: number
  /** How many bytes have no allocated blocks. */
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
  // A write to a device does not change the times of its node, but the kernel counts the writes.
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
  readonly extents?: (options?: VolumeOpenOptions) => AsyncIterable<VolumeExtent>

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly state: SourceState,
    skipsHoles: boolean,
  ) {
    this.sizeBytes = state.sizeBytes
    if (skipsHoles) this.extents = ({ signal } = {}) => dataExtents(handle, state.sizeBytes, { signal })
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

  async changeWarning(): Promise<string | undefined> {
    const change = await mapReadErrors(this.path, () => this.state.change())
    if (change === undefined) return undefined
    return `${this.path} ${change} while it was backed up: the backup may mix old and new data. Back up a snapshot instead.`
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}
