import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** A server that answers each request with what its function writes, HTTP or not. */
export class RawServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How many requests came. */
  requests = 0

  private constructor(answer: (socket: Socket, head: string) => void, readsBodies: boolean) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
      let text = ''
      socket.on('data', (piece: Buffer) => {
        text += piece.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = text.slice(0, end)
        text = ''
        this.requests += 1
        if (!readsBodies) socket.pause()
        answer(socket, head)
      })
    })
  }

  static async start(
    answer: (socket: Socket, head: string) => void,
    { readsBodies = true } = {},
  ): Promise<RawServer> {
    const server = new RawServer(answer, readsBodies)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  /** The scheme, host and port. */
  get origin(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Writes to a socket now and then, until it is gone. */
export function everyTick(socket: Socket, write: () => void): void {
  const timer = setInterval(() => {
    if (socket.writable) write()
  }, 10)
  socket.on('close', () => {
    clearInterval(timer)
  })
}
