import {
  BackupError,
  type ObjectReader,
  type ObjectWriter,
  type ReadOptions,
  type ReplayableBody,
  type StoreOptions,
} from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { bodyOf } from '@stowage/http'
import { deleteObject } from './swift/delete-objects.js'

import { ownerOf } from './swift/object-state.js'
import { putObject, type PutState } from './swift/put-object.js'
import { getObject, getRange, streamObject } from './swift/read-object.js'
import type { SwiftTransport } from './swift/transport.js'

/** Reads one object. Holds nothing between calls. */
export class SwiftObjectReader implements ObjectReader {
  readonly #transport: SwiftTransport
  readonly #container: string
  readonly #objectName: string
  readonly #options: StoreOptions

  constructor(transport: SwiftTransport, container: string, objectName: string, options: StoreOptions) {
    this.#transport = transport
    this.#container = container
    this.#objectName = objectName
    this.#options = options
  }

  /** Reads the whole object, and verifies its length and MD5. */
  read(options: ReadOptions = {}): Promise<Uint8Array> {
    return getObject(this.#transport, this.#container, this.#objectName, this.#withSignals(options))
  }

  /** Reads the object in pieces of 16 MiB; verifies its MD5 after the last one. */
  stream(options: StoreOptions = {}): AsyncGenerator<Uint8Array> {
    return streamObject(this.#transport, this.#container, this.#objectName, this.#withSignals(options))
  }

  /** Reads a part of the object. Swift has no checksum of a part: verify the bytes by the hashes of their blocks. */
  async readRange(offsetBytes: number, lengthBytes: number, options: ReadOptions = {}): Promise<Uint8Array> {
    if (lengthBytes === 0) return new Uint8Array(0)
    const range = { offsetBytes, lengthBytes }
    const all = this.#withSignals(options)
    return (await getRange(this.#transport, this.#container, this.#objectName, range, all)).bytes
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

/** The clean-up has its own time limit: it also runs after the signal of the operation was aborted. */
const cleanUpMs = 30_000
const cleanUpPolicy = { retries: 2, backoffMs: 500, maxBackoffMs: 2000 }

/** The destination of one object. */
export interface WriterTarget {
  readonly container: string
  readonly objectName: string
  /** Returns the maximum size of an object in bytes; called when the size of the object is known. */
  readonly maxFileSizeBytes: (options: StoreOptions) => Promise<number>
  /** Creates the object and never replaces one: the delay before a claim is checked again; 0 for other objects. */
  readonly exclusive?: { readonly settleMs: number }
}

/**
 * Stores one object with one PUT, which `close` sends. `write` copies its argument. `writeFrom` does not: the body is
 * streamed from the caller's memory, again for each attempt, until `close` resolves.
 */
export class SwiftObjectWriter implements ObjectWriter {
  readonly #transport: SwiftTransport
  readonly #target: WriterTarget
  readonly #options: StoreOptions
  readonly #state: PutState = { maybeStored: false }
  /** Stored with an object that is created exclusively, to distinguish it from that of another writer. */
  readonly #writerId = randomUUID()
  readonly #pieces: Uint8Array[] = []
  #lengthBytes = 0
  #body: ReplayableBody | undefined

  constructor(transport: SwiftTransport, target: WriterTarget, options: StoreOptions) {
    this.#transport = transport
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

  /** Sets the body of the whole object, which `close` sends. */
  async writeFrom(body: ReplayableBody): Promise<void> {
    if (this.#body || this.#pieces.length > 0) throw eitherOr(this.#target)
    this.#body = body
    return Promise.resolve()
  }

  /** Sends the object, and verifies that it is stored. */
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
        `Storing object ${objectName} failed: it has ${body.lengthBytes} bytes, and the limit of the cluster is ${limit} ` +
          '(max_file_size). Set a smaller chunkSizeBytes (backup_swift_object_size), or, if it is the hash list, a larger ' +
          'blockSizeBytes.',
        { container, objectName },
      )
    }
    const object = {
      container,
      objectName,
      body,
      ...(exclusive ? { exclusive: { ...exclusive, writerId: this.#writerId } } : {}),
    }
    await putObject(this.#transport, object, this.#state, this.#options.signal)
    this.#discard()
  }

  /** Discards the data, and deletes the object if it may be stored; an exclusive writer deletes only its own. */
  async abort(): Promise<void> {
    this.#discard()
    if (!this.#state.maybeStored) return
    const { container, objectName, exclusive } = this.#target
    const signal = AbortSignal.timeout(cleanUpMs)
    try {
      if (exclusive) {
        const options = { signal, policy: cleanUpPolicy }
        if ((await ownerOf(this.#transport, this.#target, this.#writerId, options)) !== 'ours') return
      }
      await deleteObject(this.#transport, container, objectName, { signal }, cleanUpPolicy)
    } catch {
      // The caller reports the failure that caused the abort; the engine deletes what is left by name.
    }
  }

  #discard(): void {
    this.#pieces.length = 0
    this.#body = undefined
  }
}

function eitherOr({ container, objectName }: WriterTarget): BackupError {
  return new BackupError(
    'STORE_FAILED',
    'Writing an object failed: it was written both in pieces and as a whole. Use one of the two.',
    {
      container,
      objectName,
    },
  )
}

async function* inOrder(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield* bodyOf(piece).stream()
}
