import { createHash } from 'node:crypto'

/** An object as it is kept. */
export interface TestObject {
  readonly bytes: Buffer
  /** MD5, lower-case hex. */
  readonly etag: string
  readonly storedAt: Date
  /** `X-Object-Meta-…`, by their names in lower case. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** A container. */
export interface TestContainer {
  readonly policy: string
  readonly objects: Map<string, TestObject>
}

/** The accounts of an in-process Swift, in memory. Open to tests: they may damage what is in it. */
export class AccountStore {
  readonly #accounts = new Map<string, Map<string, TestContainer>>()

  /** The containers of an account, which is made at its first use. */
  account(name: string): Map<string, TestContainer> {
    const account = this.#accounts.get(name) ?? new Map<string, TestContainer>()
    this.#accounts.set(name, account)
    return account
  }

  /** Stores bytes under a name; the container has to be there. */
  put(
    container: TestContainer,
    name: string,
    bytes: Buffer,
    metadata: Readonly<Record<string, string>> = {},
  ): TestObject {
    const etag = createHash('md5').update(bytes).digest('hex')
    const object = { bytes, etag, storedAt: new Date(), metadata }
    container.objects.set(name, object)
    return object
  }
}

/** Names in Swift's order, which is that of their UTF-8. */
export function inUtf8Order(names: Iterable<string>): string[] {
  return [...names]
    .map((name) => [name, Buffer.from(name)] as const)
    .sort(([, a], [, b]) => Buffer.compare(a, b))
    .map(([name]) => name)
}

/** A request with its body read. */
export interface TestRequest {
  readonly method: string
  /** Encoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** An answer before it is sent. */
export interface TestAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** An answer in JSON. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): TestAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

/** An answer in Swift's way of speaking. */
export function html(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): TestAnswer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=UTF-8', ...headers },
    body: `<html><h1>${text}</h1><p>${text}</p></html>`,
  }
}
