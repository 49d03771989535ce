import type { OnReadOpts, Socket } from 'node:net'

/** Holds what a local network delivers between two iterations of the event loop. */
const BUFFER_BYTES = 256 * 1024

/**
 * Two buffers that a socket reads into by turns. By default Node.js allocates new memory for each 64 KiB that arrive, which
 * costs a restore a tenth of its CPU time and of its memory: it is garbage until it is collected.
 *
 * A buffer is filled again only when the reader of the socket has taken all of it. A reader that keeps a piece without a
 * copy would find it overwritten. undici does not: it parses a piece and passes it on before it takes the next one, and
 * puts back what it could not parse (`unshift`), which does not count as taken.
 */
export class ReceiveBuffers {
  readonly #buffers = [0, 1].map(() => ({ memory: Buffer.allocUnsafeSlow(BUFFER_BYTES), endBytes: 0 }))
  #socket: Socket | undefined
  #receivedBytes = 0
  #filling = this.#buffers[0]

  /** Options of `net.connect`. */
  readonly options: { readonly onread: OnReadOpts; readonly readableHighWaterMark: number } = {
    onread: {
      buffer: () => this.#next(),
      callback: (lengthBytes, memory) => this.#take(lengthBytes, memory),
    },
    // Room for a full buffer and the beginning of the next. The mark for writing must stay as it is: a socket that queues
    // more than its default would queue pieces of a body whose memory their sender overwrites.
    readableHighWaterMark: 2 * BUFFER_BYTES,
  }

  /** Sets the socket. Must be called when it is connected, before it receives anything. */
  attach(socket: Socket): void {
    this.#socket = socket
  }

  #take(lengthBytes: number, memory: Uint8Array): boolean {
    this.#receivedBytes += lengthBytes
    if (this.#filling) this.#filling.endBytes = this.#receivedBytes
    return this.#socket?.push(memory.subarray(0, lengthBytes)) ?? false
  }

  #next(): Uint8Array {
    const takenBytes = this.#receivedBytes - (this.#socket?.readableLength ?? 0)
    this.#filling = this.#buffers.find(({ endBytes }) => endBytes <= takenBytes)
    return this.#filling?.memory ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
  }
}
