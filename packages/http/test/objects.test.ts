import { BackupError, isBackupError, type BackupErrorCode, type ReplayableBody } from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  AttemptFailure,
  bareEtag,
  bodyOf,
  deleteObject,
  deleteOneByOne,
  headerOf,
  HttpClient,
  HttpObjectReader,
  HttpObjectWriter,
  objectExists,
  objectInfo,
  objectModifiedAt,
  type ObjectServer,
  type ObjectWriterOptions,
} from '../src/index.js'

/** A store as a third party describes it: objects at URLs, a token, the MD5 in the ETag. */
function objectServer(http: HttpClient, origin: string): ObjectServer {
  return {
    sendOnce: ({ object: { container, objectName }, headers, ...call }, signal) => {
      const path = `/${container}/${encodeURIComponent(objectName)}`
      const request = { method: call.method, origin, path, headers: { ...headers, authorization: 'token' } }
      return http.sendOnce({ ...request, ...(call.body ? { body: call.body } : {}) }, call, signal)
    },
    retrying: (operation, attempt, signal, policy) => http.retrying(operation, attempt, signal, policy),
    md5Of: (head) => {
      const etag = bareEtag(headerOf(head, 'etag') ?? '')
      return /^[0-9a-f]{32}$/.test(etag) ? etag : undefined
    },
    putHeaders: ({ md5, mustBeNew }) => ({
      ...(md5 === undefined ? {} : { 'x-md5': md5 }),
      ...(mustBeNew ? { 'if-none-match': '*' } : {}),
    }),
    putStatuses: [201],
    writerHeader: 'x-writer',
  }
}

const object = { container: 'c', objectName: 'a b' }
const bytes = Buffer.from('the bytes of an object')
const md5 = (data: Uint8Array): string => createHash('md5').update(data).digest('hex')

interface Stored {
  readonly bytes: Buffer
  readonly writer: string | undefined
}

/** What a fault does to a request; it is sent as usual if this returns false. */
type Fault = (request: IncomingMessage, response: ServerResponse) => boolean | undefined

let server: Server
let http: HttpClient
let objects: ObjectServer
let stored: Map<string, Stored>
let requests: IncomingMessage[]
/** For the requests to come, in order. */
let faults: Fault[]
let etagOf: (data: Uint8Array) => string | undefined

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join() : value

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  requests.push(request)
  const body = await buffer(request)
  const fault = faults.shift()
  if (fault?.(request, response) === true) return
  const name = request.url ?? ''
  const found = stored.get(name)
  if (request.headers.authorization !== 'token') response.statusCode = 401
  else if (request.method === 'PUT') {
    const sent = request.headers['x-md5']
    if (request.headers['if-none-match'] !== undefined && found) response.statusCode = 412
    else if (sent !== undefined && sent !== md5(body)) response.statusCode = 422
    else {
      stored.set(name, { bytes: body, writer: single(request.headers['x-writer']) })
      response.statusCode = 201
      const etag = etagOf(body)
      if (etag !== undefined) response.setHeader('etag', etag)
    }
  } else if (!found) response.statusCode = 404
  else if (request.method === 'DELETE') {
    stored.delete(name)
    response.statusCode = 204
  } else {
    const etag = etagOf(found.bytes)
    if (etag !== undefined) response.setHeader('etag', etag)
    if (found.writer !== undefined) response.setHeader('x-writer', found.writer)
    response.setHeader('last-modified', new Date(1_700_000_000_000).toUTCString())
    response.setHeader('content-length', found.bytes.byteLength)
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (range && request.method === 'GET') {
      const part = found.bytes.subarray(Number(range[1]), Number(range[2]) + 1)
      response.statusCode = part.byteLength > 0 ? 206 : 416
      const shown = part.byteLength > 0 ? `${range[1]}-${Number(range[1]) + part.byteLength - 1}` : '*'
      response.setHeader('content-range', `bytes ${shown}/${found.bytes.byteLength}`)
      response.setHeader('content-length', part.byteLength)
      response.end(part)
      return
    }
    response.end(request.method === 'HEAD' ? undefined : found.bytes)
    return
  }
  response.end()
}

beforeEach(async () => {
  ;[stored, requests, faults, etagOf] = [new Map(), [], [], (data) => `"${md5(data)}"`]
  server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  http = new HttpClient({ retry: { retries: 3, backoffMs: 1, maxBackoffMs: 2 }, connection: { env: {} } })
  objects = objectServer(http, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
afterEach(async () => {
  await http.close()
  server.closeAllConnections()
  server.close()
})

const methods = (): string[] => requests.map(({ method }) => method ?? '')
const isStored = (): boolean => stored.get('/c/a%20b')?.bytes.equals(bytes) === true

async function put(options: ObjectWriterOptions = {}, body?: ReplayableBody): Promise<HttpObjectWriter> {
  const writer = new HttpObjectWriter(objects, object, options)
  if (body) await writer.writeFrom(body)
  else {
    await writer.write(bytes.subarray(0, 5))
    await writer.write(bytes.subarray(5))
  }
  await writer.close()
  return writer
}

async function rejected(work: Promise<unknown>, code: BackupErrorCode): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBackupError(error, code)) throw new Error(`not ${code}, but ${String(error)}`)
  return error.message
}

const status =
  (code: number): Fault =>
  (_request, response) => {
    response.statusCode = code
    response.end()
    return true
  }

const lostResponse: Fault = (request, response) => {
  // The request is carried out.
  Object.assign(response, { end: () => request.socket.destroy() })
  return false
}

describe('a writer', () => {
  it('sends the object once, with its MD5 and the credentials of the server', async () => {
    await put()
    expect(isStored()).toBe(true)
    expect(methods()).toEqual(['PUT'])
    const headers = requests[0]?.headers ?? {}
    expect([headers['x-md5'], headers['content-length'], headers['x-writer']]).toEqual([
      md5(bytes),
      String(bytes.byteLength),
      undefined,
    ])
  })

  it('sends a body again that the server received damaged, and rejects it if that does not help', async () => {
    faults = [status(422)]
    await put()
    expect(methods()).toEqual(['PUT', 'PUT'])
    faults = [status(422), status(422), status(422), status(422)]
    expect(await rejected(put(), 'OBJECT_CORRUPT')).toContain('Storing object a b in container c')
  })

  it('compares the ETag with the MD5 of a body that is known only after it was sent', async () => {
    const streamed: ReplayableBody = {
      ...bodyOf(bytes),
      md5OfStream: () => Promise.resolve(md5(bytes)),
    }
    await put({}, streamed)
    expect(requests[0]?.headers['x-md5']).toBeUndefined()
    etagOf = () => 'f'.repeat(32)
    expect(await rejected(put({}, streamed), 'OBJECT_CORRUPT')).toContain('f'.repeat(32))
  })

  it('checks the length of what is stored where the server reports no MD5', async () => {
    etagOf = () => undefined
    await put()
    expect(methods()).toEqual(['PUT', 'HEAD'])
  })

  it('creates an object exclusively, and keeps that of another writer', async () => {
    await put({ exclusive: { settleMs: 0 } })
    const winner = stored.get('/c/a%20b')?.writer
    expect(winner).toBeDefined()
    const loser = new HttpObjectWriter(objects, object, { exclusive: { settleMs: 0 } })
    await loser.write(Buffer.from('other'))
    await rejected(loser.close(), 'CONFLICT')
    await loser.abort()
    expect(stored.get('/c/a%20b')?.writer).toBe(winner)
    expect(isStored()).toBe(true)
  })

  it('recognizes its own object after a lost response', async () => {
    faults = [lostResponse]
    await put({ exclusive: { settleMs: 0 } })
    expect(isStored()).toBe(true)
    expect(methods()).toEqual(['PUT', 'HEAD', 'PUT'])
  })

  it('removes with abort what a failed PUT may have stored, and requests nothing if it stored nothing', async () => {
    const writer = new HttpObjectWriter(objects, object)
    await writer.write(bytes)
    faults = [lostResponse, lostResponse, lostResponse, lostResponse]
    await rejected(writer.close(), 'STORE_UNAVAILABLE')
    expect(isStored()).toBe(true)
    await writer.abort()
    expect(stored.size).toBe(0)
    const refused = new HttpObjectWriter(objects, object)
    await refused.write(bytes)
    faults = [status(403)]
    await rejected(refused.close(), 'FORBIDDEN')
    const before = requests.length
    await refused.abort()
    expect(requests.length).toBe(before)
  })

  it('rejects an object that is too large before its first byte, and one that is written in two ways', async () => {
    const tooLarge = (): Promise<void> => Promise.reject(new RangeError('too large'))
    await expect(put({ checkSize: tooLarge })).rejects.toThrow('too large')
    expect(requests).toEqual([])
    const writer = new HttpObjectWriter(objects, object)
    await writer.write(bytes)
    await rejected(writer.writeFrom(bodyOf(bytes)), 'STORE_FAILED')
  })
})

describe('a reader', () => {
  beforeEach(() => {
    stored.set('/c/a%20b', { bytes, writer: undefined })
  })
  const reader = (): HttpObjectReader => new HttpObjectReader(objects, object)

  it('reads an object whole, in pieces and in part', async () => {
    expect(Buffer.from(await reader().read())).toEqual(bytes)
    const pieces: Uint8Array[] = []
    for await (const piece of reader().stream()) pieces.push(Uint8Array.from(piece))
    expect(Buffer.concat(pieces)).toEqual(bytes)
    expect(Buffer.from(await reader().readRange(4, 5))).toEqual(bytes.subarray(4, 9))
    expect((await reader().readRange(20, 5)).byteLength).toBe(bytes.byteLength - 20)
    expect((await reader().readRange(500, 5)).byteLength).toBe(0)
    expect((await reader().readRange(0, 0)).byteLength).toBe(0)
  })

  it('reads once more what is not the MD5, and rejects it the second time', async () => {
    const damaged: Fault = (_request, response) => {
      response.setHeader('etag', md5(bytes))
      response.end(Buffer.from(bytes).fill(0, 3, 4))
      return true
    }
    faults = [damaged]
    expect(Buffer.from(await reader().read())).toEqual(bytes)
    expect(methods()).toEqual(['GET', 'GET'])
    faults = [damaged, damaged]
    expect(await rejected(reader().read(), 'OBJECT_CORRUPT')).toContain('Reading object a b from container c')
    // The caller verifies it.
    faults = [damaged]
    expect((await reader().read({ checkedByCaller: true })).byteLength).toBe(bytes.byteLength)
  })

  it('rejects the whole object instead of a range', async () => {
    const whole: Fault = (request) => {
      request.headers.range = undefined
      return false
    }
    faults = [whole, whole, whole, whole]
    expect(await rejected(reader().readRange(4, 5), 'STORE_FAILED')).toContain('a different range')
  })

  it('rejects what exceeds its limit, what is missing and what has no length', async () => {
    await rejected(reader().read({ maxBytes: 5 }), 'OBJECT_TOO_LARGE')
    const chunked: Fault = (_request, response) => {
      response.write('some')
      response.end()
      return true
    }
    // Two requests for each attempt: the direct GET does not take a response without a length.
    faults = Array.from({ length: 8 }, () => chunked)
    expect(await rejected(reader().read(), 'STORE_FAILED')).toContain('no valid Content-Length')
    stored.clear()
    await rejected(reader().read(), 'OBJECT_MISSING')
  })

  it('ends with its own signal and with that of a read', async () => {
    const aborted = AbortSignal.abort()
    await rejected(new HttpObjectReader(objects, object, { signal: aborted }).read(), 'ABORTED')
    await rejected(reader().read({ signal: aborted }), 'ABORTED')
  })
})

describe('the state of an object', () => {
  it('is its length, MD5 and time, or that it does not exist', async () => {
    expect(await objectExists(objects, object)).toBe(false)
    expect(await objectInfo(objects, object)).toBeUndefined()
    expect(await objectModifiedAt(objects, object)).toBeUndefined()
    stored.set('/c/a%20b', { bytes, writer: undefined })
    expect(await objectExists(objects, object)).toBe(true)
    expect(await objectInfo(objects, object)).toEqual({ lengthBytes: bytes.byteLength, md5: md5(bytes) })
    expect(await objectModifiedAt(objects, object)).toEqual(new Date(1_700_000_000_000))
    etagOf = () => '"x-2"'
    expect(await objectInfo(objects, object)).toEqual({ lengthBytes: bytes.byteLength })
  })

  it('is an error where it cannot be known', async () => {
    faults = [status(403)]
    await rejected(objectExists(objects, object), 'FORBIDDEN')
  })
})

describe('a delete', () => {
  it('succeeds for an object that does not exist, and after a lost response', async () => {
    await deleteObject(objects, object)
    stored.set('/c/a%20b', { bytes, writer: undefined })
    let unanswered = 0
    faults = [lostResponse, status(503), status(503), status(503)]
    await deleteObject(objects, object, { onUnanswered: () => (unanswered += 1) })
    expect(methods().slice(-2)).toEqual(['DELETE', 'HEAD'])
    expect(unanswered).toBe(4)
    expect(stored.size).toBe(0)
  })

  it('of many returns those that failed, each with its error', async () => {
    for (const name of ['a', 'b', 'c']) stored.set(`/c/${name}`, { bytes, writer: undefined })
    const send = objects.sendOnce.bind(objects)
    const failing: ObjectServer = {
      ...objects,
      sendOnce: (call, signal) =>
        call.object.objectName === 'b'
          ? Promise.reject(new AttemptFailure(new BackupError('FORBIDDEN', 'You may not.'), 'never'))
          : send(call, signal),
    }
    const failed = await deleteOneByOne(failing, 'c', ['a', 'b', 'c', 'missing'])
    expect(failed.map(({ objectName }) => objectName)).toEqual(['b'])
    expect(isBackupError(failed[0]?.error, 'FORBIDDEN')).toBe(true)
    expect([...stored.keys()]).toEqual(['/c/b'])
    await rejected(deleteOneByOne(objects, 'c', ['b'], { signal: AbortSignal.abort() }), 'ABORTED')
  })
})
