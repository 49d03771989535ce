import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { it } from 'vitest'
import { ReceiveBuffers } from '../src/http/receive-buffers.js'
import { patterned } from './volumes.js'

/** Sends bytes over a real socket, and returns what a reader kept of them. */
async function received(
  sent: Buffer,
  read: (socket: Socket, keep: (piece: Buffer) => void) => Promise<void>,
): Promise<{ bytes: Buffer; memories: Set<ArrayBufferLike> }> {
  const server = createServer((socket) => socket.end(sent)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const buffers = new ReceiveBuffers()
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', ...buffers.options })
  buffers.attach(socket)
  const pieces: Buffer[] = []
  const memories = new Set<ArrayBufferLike>()
  try {
    await read(socket, (piece) => {
      memories.add(piece.buffer)
      pieces.push(Buffer.from(piece))
    })
  } finally {
    socket.destroy()
    server.close()
  }
  return { bytes: Buffer.concat(pieces), memories }
}

const sent = patterned(20_000_000, 6)

it('delivers all bytes in few buffers to a reader that takes each piece immediately', async () => {
  const { bytes, memories } = await received(sent, async (socket, keep) => {
    socket.on('readable', () => {
      for (let piece = socket.read() as Buffer | null; piece; piece = socket.read() as Buffer | null)
        keep(piece)
    })
    await once(socket, 'end')
  })
  assert.ok(bytes.equals(sent))
  // Where a read joins two pieces, it copies them into other memory.
  assert.ok(memories.size < 10, `${memories.size} buffers`)
})

it('overwrites nothing that a slow reader has not taken, or has put back', async () => {
  let turn = 0
  const { bytes } = await received(sent, async (socket, keep) => {
    socket.on('readable', () => undefined)
    while (!socket.readableEnded) {
      const piece = socket.read() as Buffer | null
      if (piece === null) await sleep(1)
      else if ((turn += 1) % 3 === 0 && piece.length > 10) {
        keep(piece.subarray(0, 10))
        socket.unshift(piece.subarray(10))
        await sleep(2)
      } else keep(piece)
      if (turn % 5 === 0) await sleep(2)
    }
  })
  assert.ok(bytes.equals(sent))
})
