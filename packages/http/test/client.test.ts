import { isBackupError, type RetryEvent } from '@stowage/backup-core'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { AttemptFailure, bodyOf, collect, discard, HttpClient } from '../src/index.js'

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => Promise<void> | void

let server: Server | undefined
let client: HttpClient | undefined
afterEach(async () => {
  await client?.close()
  server?.closeAllConnections()
  server?.close()
})

async function serve(handler: Handler): Promise<string> {
  let count = 0
  server = createServer((request, response) => void handler(request, response, ++count))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const quick = { retry: { backoffMs: 1, maxBackoffMs: 2 }, connection: { env: {} } }
const get = (origin: string) =>
  ({ method: 'GET', origin, path: '/a%20b', headers: { accept: 'text/plain' } }) as const
const text = { what: 'Reading a b', sink: () => collect(100), accept: [200] }

describe('a client with no options but short waits', () => {
  it('sends a request with its body, and returns the head and what the sink made of the response', async () => {
    const origin = await serve(async (request, response) => {
      const sent = await buffer(request)
      response.setHeader('x-seen', `${request.method} ${request.url} ${request.headers['content-length']}`)
      response.end(sent)
    })
    client = new HttpClient(quick)
    const body = bodyOf(Buffer.from('some bytes'))
    const { head, value } = await client.send({ ...get(origin), method: 'PUT', body }, text)
    expect(head.headers['x-seen']).toBe('PUT /a%20b 10')
    expect(value.toString()).toBe('some bytes')
  })

  it('retries what may get better, and reports it; the error of what does not says what, why and how often', async () => {
    const events: RetryEvent[] = []
    const origin = await serve((_, response, count) => {
      response.statusCode = count < 3 ? 503 : 200
      response.end('the text')
    })
    client = new HttpClient({ ...quick, onRetry: (event) => events.push(event) })
    expect((await client.send(get(origin), text)).value.toString()).toBe('the text')
    expect(events.map(({ operation, attempt }) => [operation, attempt])).toEqual([
      ['Reading a b', 1],
      ['Reading a b', 2],
    ])
    const never = new HttpClient({ ...quick, retry: { retries: 0 } })
    server?.removeAllListeners('request').on('request', (_, response: ServerResponse) => {
      response.statusCode = 503
      response.end('busy; token secret-token')
    })
    const failure = never.send(get(origin), { ...text, secrets: ['secret-token'] })
    await expect(failure).rejects.toSatisfy((error) => {
      expect(isBackupError(error, 'STORE_UNAVAILABLE')).toBe(true)
      expect((error as Error).message).toMatch(/^Reading a b failed \(status 503; .*busy; token \*\*\*/)
      return true
    })
    await never.close()
  })

  it('lets the caller say what a status means, in an error or as a retry', async () => {
    const origin = await serve((_, response, count) => {
      response.statusCode = count === 1 ? 404 : 200
      response.end()
    })
    client = new HttpClient(quick)
    const refusal = (status: number) =>
      status === 404 ? ({ code: 'OBJECT_MISSING', message: 'There is no a b.' } as const) : undefined
    const missing = client.send(get(origin), { ...text, refusal })
    await expect(missing).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
  })

  it('tells an attempt that the server may have carried out from one that it has not', async () => {
    const origin = await serve((request, response, count) => {
      if (count === 1) request.socket.destroy()
      else {
        response.statusCode = 403
        response.end()
      }
    })
    client = new HttpClient(quick)
    const outcomes: boolean[] = []
    for (let index = 0; index < 2; index += 1) {
      await client.sendOnce(get(origin), { ...text, sink: discard }).catch((failure: unknown) => {
        if (!(failure instanceof AttemptFailure)) throw failure
        outcomes.push(failure.mayHaveHappened)
      })
    }
    expect(outcomes).toEqual([true, false])
  })

  it('ends with ABORTED, and is closed with requests in progress', async () => {
    const origin = await serve(() => undefined)
    client = new HttpClient(quick)
    const stop = new AbortController()
    const aborted = client.send(get(origin), text, stop.signal)
    stop.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    const closed = client.send(get(origin), text)
    closed.catch(() => undefined)
    await once(server!, 'request')
    await client.close()
    await expect(closed).rejects.toThrow()
  })

  it('gives up a response that does not come', async () => {
    const origin = await serve(() => undefined)
    client = new HttpClient({ ...quick, timeouts: { headersMs: 100 }, retry: { retries: 1, backoffMs: 1 } })
    await expect(client.send(get(origin), text)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
