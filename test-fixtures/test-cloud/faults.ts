import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestAnswer } from './account-store.js'

/** A request as a fault's condition sees it. */
export interface SeenRequest {
  readonly service: 'swift' | 'keystone' | 'v1' | 'info' | 's3'
  readonly method: string
  /** Decoded, with the query: `/v1/AUTH_demo/container/object?…`. */
  readonly target: string
}

/** What goes wrong. */
export type Fault =
  /** The connection breaks before anything is read. */
  | { readonly kind: 'reset-before' }
  /** The connection breaks in the middle of the request's body; before the answer where it has none. */
  | { readonly kind: 'reset-during' }
  /** The request is carried out, and the connection breaks before the answer. */
  | { readonly kind: 'reset-after' }
  /** The connection breaks in the middle of the answer's body. */
  | { readonly kind: 'reset-in-answer' }
  /** Nothing comes: the request is not read, or read and never answered. */
  | { readonly kind: 'stall' }
  /** The answer stops in its middle. */
  | { readonly kind: 'stall-in-answer' }
  /** This status, and nothing is done. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The request is carried out, and the answer is this status. */
  | { readonly kind: 'status-after'; readonly status: number }
  /** The ETag of the answer is another one. */
  | { readonly kind: 'lying-etag' }
  /** One byte of the answer's body is another one. */
  | { readonly kind: 'flipped-byte' }
  /** The response is a consistent but shorter object: only the ETag differs. */
  | { readonly kind: 'short-body' }
  /** The answer has no Content-Length. */
  | { readonly kind: 'no-length' }
  /** The whole object instead of the requested range. */
  | { readonly kind: 'ignored-range' }
  /** A listing without its last name, as while an update is on its way. */
  | { readonly kind: 'lagging-listing' }
  /** A listing's page begins again from the start, whatever marker was sent. */
  | { readonly kind: 'repeated-page' }
  /** The response is not valid JSON. */
  | { readonly kind: 'garbage' }
  /** All tokens given so far are refused from now on. */
  | { readonly kind: 'revoke-tokens' }

/** When a fault is injected. */
export interface FaultRule {
  readonly fault: Fault
  /** @default every request */
  readonly when?: (request: SeenRequest) => boolean
  /** The maximum number of matching requests that fail. @default 1 */
  readonly times?: number
}

/** The faults of one server. */
export class FaultPlan {
  #rules: { readonly rule: FaultRule; left: number }[] = []

  /** Adds a fault. */
  add(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? 1 })
  }

  /** Removes all faults. */
  clear(): void {
    this.#rules = []
  }

  /** Returns the fault for a request, and counts it. */
  take(request: SeenRequest): Fault | undefined {
    const entry = this.#rules.find(({ rule, left }) => left > 0 && (rule.when?.(request) ?? true))
    if (!entry) return undefined
    entry.left -= 1
    return entry.rule.fault
  }
}

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

/** Applies a fault to a response. */
export function withFault(answer: TestAnswer, fault: Fault | undefined): TestAnswer {
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

/** Sends a response, or a part of it for some faults. */
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
