import { close, constants, open } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import { sourceError } from './positional-io.js'
import { streamVolume } from './stream-volume.js'
import type { OpenSource, VolumeOpenOptions } from '../contracts/volume.js'

/**
 * Opens a named pipe (or `/dev/stdin` when it is one) as a stream. A plain open or read of a pipe
 * blocks a thread until somebody writes, and no abort would end it; a socket on a non-blocking descriptor waits in
 * the event loop instead, for the first writer too.
 */
export async function openFifoSource(
  path: string,
  sizeBytes: number | undefined,
  options: VolumeOpenOptions,
): Promise<OpenSource> {
  const descriptor = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw sourceError(error, path)
    },
  )
  let socket: Socket
  try {
    socket = new Socket({ fd: descriptor, readable: true, writable: false })
  } catch (error) {
    await promisify(close)(descriptor)
    throw sourceError(error, path)
  }
  try {
    return await streamVolume(socket, sizeBytes === undefined ? {} : { sizeBytes }).openSource(options)
  } catch (error) {
    socket.destroy()
    throw error
  }
}
