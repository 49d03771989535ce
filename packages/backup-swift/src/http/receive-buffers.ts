import type { OnReadOpts, Socket } from 'node:net'

/** Holds what a local network brings between two turns of the event loop. */
const bufferBytes = 256 * 1024

/**
 * The memory that a socket reads into, used again: Node.js takes fresh memory for each 64 KiB that come in, and fresh
 * memory costs more than all else that is done with them.
 *
 * Two buffers take turns. One is filled again only when whoever reads the socket has taken all that it held; a reader
 * that keeps what it took until later would find it overwritten. undici does not: it parses a piece, and hands it on,
 * before it takes the next, and gives back what it could not parse yet (`unshift`), which counts as not taken.
 */
export class ReceiveBuffers {
  readonly #buffers = [0, 1].map(() => ({ memory: Buffer.allocUnsafeSlow(bufferBytes), endsAtBytes: 0 }))
  #socket: Socket | undefined
  #receivedBytes = 0
  #filling = this.#buffers[0]

  /** Goes into the options of `net.connect`. */
  readonly options: { readonly onread: OnReadOpts; readonly readableHighWaterMark: number } = {
    onread: {
      buffer: () => this.#next(),
      callback: (lengthBytes, memory) => this.#take(lengthBytes, memory),
    },
    // So that a full buffer and the start of the next do not make the socket wait. Of what is sent the mark stays as it
    // is: a socket that queued more would have pieces in its queue that their sender writes over.
    readableHighWaterMark: 2 * bufferBytes,
  }

  /** Says whose data it is. Called as soon as the socket is connected, when nothing can have come yet. */
  attach(socket: Socket): void {
    this.#socket = socket
  }

  #take(lengthBytes: number, memory: Uint8Array): boolean {
    this.#receivedBytes += lengthBytes
    if (this.#filling) this.#filling.endsAtBytes = this.#receivedBytes
    return this.#socket?.push(memory.subarray(0, lengthBytes)) ?? false
  }

  #next(): Uint8Array {
    const takenBytes = this.#receivedBytes - (this.#socket?.readableLength ?? 0)
    this.#filling = this.#buffers.find(({ endsAtBytes }) => endsAtBytes <= takenBytes)
    return this.#filling?.memory ?? Buffer.allocUnsafeSlow(bufferBytes)
  }
}
