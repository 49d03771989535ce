import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { main } from '../src/index.js'

/** A server that takes connections and never answers. */
let server: Server
const sockets = new Set<Socket>()
beforeEach(async () => {
  server = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

async function listFrom(port: number, args: readonly string[], env = {}): Promise<[number, string]> {
  let stderr = ''
  const exitCode = await main(['list', '--store', 'swift:c', ...args], {
    stdin: Readable.from([]),
    stdout: { write: () => undefined },
    stderr: { write: (text) => (stderr += text) },
    env: { ST_AUTH: `http://127.0.0.1:${String(port)}/auth/v1.0`, ST_USER: 'a:b', ST_KEY: 'k', ...env },
  })
  return [exitCode, stderr]
}

describe('a store on the network', () => {
  it('that never answers is given up after --timeout and --retries', async () => {
    const { port } = server.address() as AddressInfo
    const [exitCode, stderr] = await listFrom(port, ['--timeout', '100ms', '--retries', '0'])
    expect(stderr).toContain('took too long')
    expect(stderr).toContain('Tried once')
    expect(exitCode).toBe(1)
  })

  it('is not asked again after --retry-deadline, nor after that of the environment', async () => {
    // Port 9 of this machine: nothing listens.
    for (const [args, env] of [
      [['--retry-deadline', '1ms'], {}],
      [[], { STOWAGE_RETRY_DEADLINE: '1ms' }],
    ] as const) {
      const [exitCode, stderr] = await listFrom(9, args, env)
      expect(stderr).toContain('past the deadline')
      expect(exitCode).toBe(1)
    }
  })
})
