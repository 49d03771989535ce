import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { collect, fill } from '../src/bodies.js'
import { ConnectionPool } from '../src/connection-pool.js'
import { exchange, ExchangeError, type HttpRequest, type HttpResponse } from '../src/exchange.js'
import type { HttpTimeouts } from '../src/exchange-watch.js'
import { parseResponseHead } from '../src/response-head.js'
import { RawServer } from '../../../test-fixtures/raw-server.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const patient: HttpTimeouts = {
  connectMs: 60_000,
  headersMs: 60_000,
  bodyMs: 60_000,
  minBytesPerSecond: 1,
  windowMs: 60_000,
  exchangeMs: 60_000,
}

/** A client and a server, and which connection each request came over. */
async function connected(
  answer: (socket: Socket, request: number) => void,
): Promise<
  AsyncDisposable & { get: typeof get; connections: number[]; pool: ConnectionPool; origin: string }
> {
  const sockets: Socket[] = []
  const connections: number[] = []
  const server = await RawServer.start((socket) => {
    if (!sockets.includes(socket)) sockets.push(socket)
    connections.push(sockets.indexOf(socket))
    answer(socket, connections.length)
  })
  const pool = new ConnectionPool({ insecure: false, connectTimeoutMs: 5000, env: {} })
  const get = (
    timeouts: Partial<HttpTimeouts> = {},
    signal?: AbortSignal,
    more: Partial<HttpRequest> = {},
  ): Promise<HttpResponse<Buffer>> => {
    const request: HttpRequest = {
      method: 'GET',
      origin: server.origin,
      path: '/o',
      headers: { a: 'b' },
      ...more,
    }
    const route = pool.routeTo(request.origin)
    return exchange(route, request, () => collect(1e9), { ...patient, ...timeouts }, signal)
  }
  return {
    get,
    connections,
    pool,
    origin: server.origin,
    async [Symbol.asyncDispose]() {
      await pool.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

const ok = (body: string | Buffer, more = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n`),
    Buffer.from(body),
  ])

describe('a GET of a plain response', () => {
  it('has its status, headers and body, over one connection for several', async () => {
    await using server = await connected((socket, request) =>
      socket.write(ok(`body ${request}`, 'ETag: x \r\n')),
    )
    for (const text of ['body 1', 'body 2']) {
      const { head, value } = await server.get()
      assert.deepEqual([head.status, head.headers['etag'], value.toString()], [200, 'x', text])
    }
    assert.deepEqual(server.connections, [0, 0])
  })

  it('has them however the bytes arrive', async () => {
    const bytes = ok(patterned(1000, 3), 'A: 1\r\nA: 2\r\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 5 }),
        async (cuts) => {
          const ends = [...new Set(cuts)].sort((a, b) => a - b).concat(bytes.length)
          await using server = await connected((socket) => {
            void (async () => {
              let start = 0
              for (const end of ends) {
                socket.write(bytes.subarray(start, end))
                start = end
                await new Promise((resolve) => setImmediate(resolve))
              }
            })()
          })
          const { head, value } = await server.get()
          assert.deepEqual(head.headers['a'], ['1', '2'])
          assert.ok(value.equals(patterned(1000, 3)))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('fills a buffer with a body of many reads', async () => {
    const body = patterned(20_000_000, 6)
    await using server = await RawServer.start((socket) => socket.write(ok(body)))
    const pool = new ConnectionPool({ insecure: false, connectTimeoutMs: 5000, env: {} })
    try {
      const request: HttpRequest = { method: 'GET', origin: server.origin, path: '/', headers: {} }
      const memory = Buffer.alloc(body.length)
      const { value } = await exchange(
        pool.routeTo(server.origin),
        request,
        () => fill(memory, { md5: false }),
        patient,
        undefined,
      )
      assert.ok(body.equals(value.bytes))
    } finally {
      await pool.destroy()
    }
  })

  it('skips interim responses', async () => {
    await using server = await connected((socket) =>
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'), ok('x')])),
    )
    assert.equal((await server.get()).value.toString(), 'x')
    assert.deepEqual(server.connections, [0])
  })

  it('has no body where its status allows none', async () => {
    await using server = await connected((socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'))
    for (let turn = 0; turn < 2; turn += 1) {
      const { head, value } = await server.get()
      assert.deepEqual([head.status, value.length], [204, 0])
    }
    assert.deepEqual(server.connections, [0, 0])
  })
})

describe('a connection', () => {
  it('that the server closed meanwhile is replaced without a retry', async () => {
    await using server = await connected((socket, request) => {
      if (request === 2) socket.destroy()
      else socket.write(ok(`body ${request}`))
    })
    await server.get()
    assert.equal((await server.get()).value.toString(), 'body 3')
    assert.deepEqual(server.connections, [0, 0, 1])
  })

  it('is not used again where the server closes it, or sent more than it announced', async () => {
    for (const response of [ok('x', 'Connection: close\r\n'), Buffer.concat([ok('x'), Buffer.from('y')])]) {
      await using server = await connected((socket) => socket.write(response))
      for (let turn = 0; turn < 2; turn += 1) assert.equal((await server.get()).value.toString(), 'x')
      assert.deepEqual(server.connections, [0, 1])
    }
  })

  it('that receives data without a request is closed, and the data is not taken for a response', async () => {
    await using server = await connected((socket, request) => {
      socket.write(ok(`body ${request}`))
      if (request === 1) setImmediate(() => socket.write(ok('stray')))
    })
    assert.equal((await server.get()).value.toString(), 'body 1')
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal((await server.get()).value.toString(), 'body 2')
    assert.deepEqual(server.connections, [0, 1])
  })

  it('that is being made is closed by an abort and by the end of the pool', async () => {
    // Accepts connections and says nothing: a TLS handshake that does not end.
    await using server = await connected(() => undefined)
    const origin = server.origin.replace('http:', 'https:')
    for (const end of ['abort', 'destroy']) {
      const controller = new AbortController()
      const getting = server.get({}, controller.signal, { origin })
      setTimeout(() => {
        if (end === 'abort') controller.abort()
        else void server.pool.destroy()
      }, 20)
      await assert.rejects(getting)
    }
  })

  it('is closed by an abort, and by the end of the pool', async () => {
    for (const end of ['abort', 'destroy']) {
      const controller = new AbortController()
      let closed: Promise<void> | undefined
      await using server = await connected((socket) => {
        closed = new Promise((resolve) =>
          socket.once('close', () => {
            resolve()
          }),
        )
        socket.write(ok(Buffer.alloc(100)).subarray(0, 90))
        if (end === 'abort') controller.abort()
        else void server.pool.destroy()
      })
      await assert.rejects(server.get({}, controller.signal))
      await closed
    }
  })
})

describe('a response that ends too soon', () => {
  const cases: Readonly<Record<string, (socket: Socket) => void>> = {
    'without a byte': (socket) => socket.end(),
    'within its head': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
    'within its body': (socket) => socket.end(ok('12345').subarray(0, -1)),
    'within the last body of a connection': (socket) =>
      socket.end(ok('12345', 'Connection: close\r\n').subarray(0, -1)),
    'by a reset': (socket) => socket.resetAndDestroy(),
  }
  for (const [name, answer] of Object.entries(cases)) {
    it(`${name} is an error of the exchange`, async () => {
      await using server = await connected(answer)
      await assert.rejects(server.get(), ExchangeError)
    })
  }

  it('or stalls within its body, is an error after the time-out', async () => {
    await using server = await connected((socket) => socket.write(ok('12345').subarray(0, -1)))
    await assert.rejects(server.get({ bodyMs: 50 }), /paused for too long/)
  })
})

describe('another response', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'

  it('of a gateway is requested again through undici, and the next one is not', async () => {
    await using server = await connected((socket, request) => {
      if (request <= 2) socket.end('HTTP/1.0 503 Service Unavailable\r\n\r\nbusy')
      else socket.write(ok('x'))
    })
    assert.equal((await server.get()).head.status, 503)
    assert.equal((await server.get()).value.toString(), 'x')
    assert.equal(server.connections.length, 3)
  })

  it('is requested again through undici, and from then on at once', async () => {
    await using server = await connected((socket) => socket.write(chunked))
    assert.equal((await server.get()).value.toString(), 'x')
    assert.equal((await server.get()).value.toString(), 'x')
    assert.equal(server.connections.length, 3)
  })

  it('is rejected by the parser, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const head = parseResponseHead(text)
        assert.ok(head === undefined || head.status >= 200)
      }),
    )
    const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5'
    assert.equal(parseResponseHead(plain)?.bodyBytes, 5)
    for (const text of [
      'HTTP/1.0 200 OK\r\nContent-Length: 5',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 101 Switching Protocols\r\nContent-Length: 5',
      `${plain}\r\nContent-Length: 5`,
      `${plain}\r\nTransfer-Encoding: chunked`,
      `${plain}\r\nUpgrade: h2c`,
      `${plain}\r\n folded`,
      `${plain}\r\nA : b`,
      `${plain}\r\nA`,
      `${plain}\r\nA: \0`,
      `${plain}\nA: b`,
      `${plain}x`,
      'HTTP/1.1 200 OK\r\nContent-Length: +5',
      'HTTP/1.1 200 OK\r\nContent-Length: 5, 5',
    ]) {
      assert.equal(parseResponseHead(text), undefined, text)
    }
  })

  it('keeps a connection no longer than the server says', () => {
    const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5'
    assert.equal(parseResponseHead(`${plain}\r\nKeep-Alive: timeout=5, max=100`)?.keptMs, 3000)
    assert.equal(parseResponseHead(`${plain}\r\nConnection: Close`)?.keptMs, 0)
    assert.equal(parseResponseHead(plain)?.keptMs, Infinity)
  })
})

describe('over TLS', () => {
  const fixture = (name: string): string =>
    readFileSync(new URL(`../../../test-fixtures/tls/${name}`, import.meta.url), 'utf8')

  it('a GET has its body, and the next one uses the same connection', async () => {
    const body = patterned(5_000_000, 4)
    let connections = 0
    const server = createServer(
      { cert: fixture('server.crt'), key: fixture('server.key') },
      (_request, response) => {
        response.setHeader('Content-Length', body.length)
        response.end(body)
      },
    )
    server.on('secureConnection', () => (connections += 1))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const pool = new ConnectionPool({ insecure: true, connectTimeoutMs: 5000, env: {} })
    try {
      const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
      for (let turn = 0; turn < 2; turn += 1) {
        const request: HttpRequest = { method: 'GET', origin, path: '/', headers: {} }
        const { value } = await exchange(
          pool.routeTo(origin),
          request,
          () => collect(1e9),
          patient,
          undefined,
        )
        assert.ok(value.equals(body))
      }
      assert.equal(connections, 1)
    } finally {
      await pool.destroy()
      server.close()
    }
  })

  it('a certificate that is not trusted is the error of the exchange', async () => {
    const server = createServer({ cert: fixture('server.crt'), key: fixture('server.key') })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const pool = new ConnectionPool({ insecure: false, connectTimeoutMs: 5000, env: {} })
    try {
      const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
      const request: HttpRequest = { method: 'GET', origin, path: '/', headers: {} }
      await assert.rejects(
        exchange(pool.routeTo(origin), request, () => collect(1e9), patient, undefined),
        /certificate/,
      )
    } finally {
      await pool.destroy()
      server.close()
    }
  })
})
