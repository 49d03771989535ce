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
