import {
  BackupError,
  type ObjectReader,
  type ObjectWriter,
  type ReadOptions,
  type ReplayableBody,
  type StoreOptions,
} from '@stowage/backup-core'
import type { SwiftClient } from './swift/swift-client.js'
import { randomUUID } from 'node:crypto'
import { bodyOf } from './http/bodies.js'
import type { PutState } from './swift/put-object.js'

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

/** Cleaning up has its own clock: it runs also after the operation's signal has been aborted. */
const cleanUpMs = 30_000
const cleanUpPolicy = { retries: 2, backoffMs: 500, maxBackoffMs: 2000 }

/** Where one object goes. */
export interface WriterTarget {
  readonly container: string
  readonly objectName: string
  /** The largest object that the cluster takes, in bytes; asked for when the object's size is known. */
  readonly maxFileSizeBytes: (options: StoreOptions) => Promise<number>
  /** Creates the object, and never replaces one: how long a claim settles, in milliseconds, 0 for no claim. */
  readonly exclusive?: { readonly settleMs: number }
}

/**
 * Stores one object by one PUT, sent by `close`. `writeFrom` keeps the body it is given, which is produced while it is
 * sent, anew for each attempt, from the caller's own memory, until `close` is done; `write` keeps a copy of what it is
 * given.
 */
export class SwiftObjectWriter implements ObjectWriter {
  readonly #client: SwiftClient
  readonly #target: WriterTarget
  readonly #options: StoreOptions
  readonly #state: PutState = { maybeStored: false }
  /** Stored with an object that is created exclusively, so that this writer can tell it from that of another. */
  readonly #writerId = randomUUID()
  readonly #pieces: Uint8Array[] = []
  #lengthBytes = 0
  #body: ReplayableBody | undefined

  constructor(client: SwiftClient, target: WriterTarget, options: StoreOptions) {
    this.#client = client
    this.#target = target
    this.#options = options
  }

  /** Adds bytes to the object. */
  async write(data: Uint8Array): Promise<void> {
    if (this.#body) throw eitherOr(this.#target)
    this.#pieces.push(Uint8Array.from(data))
    this.#lengthBytes += data.byteLength
    return Promise.resolve()
  }

  /** Takes the whole object, for `close` to send. */
  async writeFrom(body: ReplayableBody): Promise<void> {
    if (this.#body || this.#pieces.length > 0) throw eitherOr(this.#target)
    this.#body = body
    return Promise.resolve()
  }

  /** Sends the object, and makes sure that it is there. */
  async close(): Promise<void> {
    const { container, objectName, maxFileSizeBytes, exclusive } = this.#target
    const body: ReplayableBody = this.#body ?? {
      lengthBytes: this.#lengthBytes,
      stream: () => inOrder(this.#pieces),
    }
    const limit = await maxFileSizeBytes(this.#options)
    if (body.lengthBytes > limit) {
      throw new BackupError(
        'OBJECT_TOO_LARGE',
        `Object ${objectName} has ${body.lengthBytes} bytes, and the cluster takes ${limit} (max_file_size). Set a ` +
          'smaller chunkSizeBytes (backup_swift_object_size), or a larger block size where it is the hash list.',
        { container, objectName },
      )
    }
    const object = {
      container,
      objectName,
      body,
      ...(exclusive ? { exclusive: { ...exclusive, writerId: this.#writerId } } : {}),
    }
    await this.#client.putObject(object, this.#state, this.#options)
    this.#forget()
  }

  /** Forgets what was written, and removes what may have reached the server; an exclusive writer, only what is its own. */
  async abort(): Promise<void> {
    this.#forget()
    if (!this.#state.maybeStored) return
    const { container, objectName, exclusive } = this.#target
    const options = { signal: AbortSignal.timeout(cleanUpMs) }
    try {
      if (exclusive) {
        const owner = await this.#client.ownerOf(this.#target, this.#writerId, options, cleanUpPolicy)
        if (owner !== 'ours') return
      }
      await this.#client.deleteObject(container, objectName, options, cleanUpPolicy)
    } catch {
      // The caller reports the failure that made it abort; the engine removes by name what is left here.
    }
  }

  #forget(): void {
    this.#pieces.length = 0
    this.#body = undefined
  }
}

function eitherOr({ container, objectName }: WriterTarget): BackupError {
  return new BackupError('STORE_FAILED', 'An object is written in pieces or as a whole, not both.', {
    container,
    objectName,
  })
}

async function* inOrder(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield* bodyOf(piece).stream()
}
