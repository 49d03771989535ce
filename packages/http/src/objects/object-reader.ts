import type { ObjectReader, ReadOptions, StoreOptions } from '@stowage/backup-core'
import type { ObjectAddress, ObjectServer } from './object-server.js'
import { getObject, getRange, streamObject } from './read-object.js'

/** Reads one object. Holds nothing between calls. */
export class HttpObjectReader implements ObjectReader {
  readonly #server: ObjectServer
  readonly #object: ObjectAddress
  readonly #options: StoreOptions

  constructor(server: ObjectServer, object: ObjectAddress, options: StoreOptions = {}) {
    this.#server = server
    this.#object = object
    this.#options = options
  }

  /** Reads the whole object, and verifies its length, and its MD5 if the server reports it. */
  read(options: ReadOptions = {}): Promise<Uint8Array> {
    return getObject(this.#server, this.#object, this.#withSignals(options))
  }

  /** Reads the object in pieces of 16 MiB; verifies its MD5 after the last one. */
  stream(options: StoreOptions = {}): AsyncGenerator<Uint8Array> {
    return streamObject(this.#server, this.#object, this.#withSignals(options))
  }

  /** Reads a part of the object. There is no checksum of a part: verify the bytes by the hashes of their blocks. */
  async readRange(offsetBytes: number, lengthBytes: number, options: ReadOptions = {}): Promise<Uint8Array> {
    if (lengthBytes === 0) return new Uint8Array(0)
    const range = { offsetBytes, lengthBytes }
    return (await getRange(this.#server, this.#object, range, this.#withSignals(options))).bytes
  }

  /** Does nothing. */
  async close(): Promise<void> {
    return Promise.resolve()
  }

  /** The options of a read, which the signal of the reader ends too. */
  #withSignals<Options extends StoreOptions>(options: Options): Options {
    const { signal } = this.#options
    if (!signal || signal === options.signal) return options
    return { ...options, signal: options.signal ? AbortSignal.any([signal, options.signal]) : signal }
  }
}
