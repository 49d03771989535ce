import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestAnswer } from './answer.js'
import type { Fault } from './faults.js'

/** Reads a request's body; undefined where the client broke off, or the fault did. */
export async function readBody(
  request: IncomingMessage,
  fault: Fault | undefined,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let lengthBytes = 0
  const expected = Number(request.headers['content-length'] ?? 0)
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      pieces.push(piece)
      lengthBytes += piece.byteLength
      if (fault?.kind === 'reset-during' && lengthBytes >= expected / 2) {
        request.socket.destroy()
        return undefined
      }
    }
  } catch {
    return undefined
  }
  return Buffer.concat(pieces, lengthBytes)
}

/** Changes an answer as the fault says. */
export function spoiled(answer: TestAnswer, fault: Fault | undefined): TestAnswer {
  const body = Buffer.from(answer.body ?? '')
  switch (fault?.kind) {
    case 'status-after':
      return { status: fault.status, body: 'The gateway lost the answer.' }
    case 'lying-etag':
      return { ...answer, headers: { ...answer.headers, etag: 'f'.repeat(32) } }
    case 'flipped-byte': {
      const copy = Buffer.from(body)
      if (copy.byteLength > 0) copy[copy.byteLength >> 1] = (copy[copy.byteLength >> 1] ?? 0) ^ 1
      return { ...answer, body: copy }
    }
    case 'short-body':
      return { ...answer, body: body.subarray(0, body.byteLength >> 1) }
    case 'garbage':
      return { ...answer, body: '<!doctype html>' }
    case 'lagging-listing':
      return answer.status === 200 ? { ...answer, body: withoutLastName(body) } : answer
    default:
      return answer
  }
}

/** Sends an answer, or less of it where the fault says so. */
export function reply(
  request: IncomingMessage,
  response: ServerResponse,
  answer: TestAnswer,
  fault: Fault | undefined,
): void {
  const body = Buffer.from(answer.body ?? '')
  const headers: Record<string, string> = { ...answer.headers }
  if (fault?.kind !== 'no-length' && answer.status !== 204)
    headers['content-length'] = String(body.byteLength)
  if (fault?.kind === 'no-length') headers['connection'] = 'close'
  response.writeHead(answer.status, headers)
  if (request.method === 'HEAD') {
    response.end()
  } else if (fault?.kind === 'reset-in-answer' || fault?.kind === 'stall-in-answer') {
    response.write(body.subarray(0, body.byteLength >> 1), () => {
      if (fault.kind === 'reset-in-answer') request.socket.destroy()
    })
    response.flushHeaders()
  } else {
    response.end(body)
  }
}

function withoutLastName(body: Buffer): string {
  const page: unknown = JSON.parse(body.toString('utf8'))
  return JSON.stringify(Array.isArray(page) ? page.slice(0, -1) : page)
}
