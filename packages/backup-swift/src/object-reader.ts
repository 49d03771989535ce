import type { ObjectReader, ReadOptions, StoreOptions } from '@stowage/backup-core'
import type { SwiftClient } from './swift/swift-client.js'

/** Reads one object. Holds nothing between calls. */
export class SwiftObjectReader implements ObjectReader {
  readonly #client: SwiftClient
  readonly #container: string
  readonly #objectName: string
  readonly #options: StoreOptions

  constructor(client: SwiftClient, container: string, objectName: string, options: StoreOptions) {
    this.#client = client
    this.#container = container
    this.#objectName = objectName
    this.#options = options
  }

  /** The whole object, its length and MD5 checked. */
  read(options: ReadOptions = {}): Promise<Uint8Array> {
    return this.#client.getObject(this.#container, this.#objectName, { ...this.#options, ...options })
  }

  /** The object in pieces of 16 MiB; its MD5 is checked when the last one has been taken. */
  stream(options: StoreOptions = {}): AsyncGenerator<Uint8Array> {
    return this.#client.streamObject(this.#container, this.#objectName, { ...this.#options, ...options })
  }

  /** A part of the object. Nothing tells whether its bytes are those that were stored: check them by their hashes. */
  async readRange(offsetBytes: number, lengthBytes: number, options: ReadOptions = {}): Promise<Uint8Array> {
    if (lengthBytes === 0) return new Uint8Array(0)
    const range = { offsetBytes, lengthBytes }
    const all = { ...this.#options, ...options }
    return (await this.#client.getRange(this.#container, this.#objectName, range, all)).bytes
  }

  /** Nothing to free. */
  async close(): Promise<void> {
    return Promise.resolve()
  }
}
