/** The head of a plain response: see {@link parseResponseHead}. */
export interface ParsedHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  /** The length of the body that follows. */
  readonly bodyBytes: number
  /** For how long the server keeps the connection after the body, as far as it says; 0 if it closes it. */
  readonly keptMs: number
}

// RFC 9110, sections 5.1 and 5.5: a token, a colon without a space before it, and a value without control characters.
const statusLine = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/

/**
 * Parses the head of a response, without the empty line that ends it. Accepts only what every server sends for an object:
 * HTTP/1.1, one Content-Length, no Transfer-Encoding. Returns undefined for all else, which is left to a complete parser: no
 * rule is relaxed here.
 */
export function parseResponseHead(text: string): ParsedHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const status = Number(statusLine.exec(first)?.[1])
  if (Number.isNaN(status)) return undefined
  // Without a prototype: a header may be called __proto__.
  const headers = Object.create(null) as Record<string, string | string[]>
  for (const line of lines) {
    const match = headerLine.exec(line)
    if (!match) return undefined
    const name = (match[1] ?? '').toLowerCase()
    // Only spaces and tabs: the pattern allows no other white space.
    const value = (match[2] ?? '').trim()
    const known = headers[name]
    headers[name] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value]
  }
  const length = headers['content-length']
  const hasBody = status !== 204 && status !== 304
  if (headers['transfer-encoding'] !== undefined || headers['upgrade'] !== undefined) return undefined
  if (typeof length !== 'string' ? hasBody || length !== undefined : !/^\d{1,15}$/.test(length))
    return undefined
  return { status, headers, bodyBytes: hasBody ? Number(length) : 0, keptMs: keptMs(headers) }
}

/** As undici does: two seconds less than the server says, since the connection may be closed while a request is on its way. */
function keptMs(headers: Readonly<Record<string, string | string[]>>): number {
  const connection = String(headers['connection'] ?? '').toLowerCase()
  if (/(?:^|[\s,])close(?:$|[\s,])/.test(connection)) return 0
  const seconds = /(?:^|[\s,])timeout=(\d{1,6})(?:$|[\s,])/.exec(String(headers['keep-alive'] ?? ''))?.[1]
  return seconds === undefined ? Infinity : Math.max(0, (Number(seconds) - 2) * 1000)
}
