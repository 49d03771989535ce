import { BackupError, type ObjectWriter, type ReplayableBody, type StoreOptions } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { bodyOf } from '../bodies.js'
import { deleteObject } from './delete-objects.js'
import type { ObjectAddress, ObjectServer } from './object-server.js'
import { ownerOf } from './object-state.js'
import { putObject, type NewObject, type PutState } from './put-object.js'

/** The clean-up has its own time limit: it also runs after the signal of the operation was aborted. */
const cleanUpMs = 30_000
const cleanUpPolicy = { retries: 2, backoffMs: 500, maxBackoffMs: 2000 }

/** How the writer stores its object. */
export interface ObjectWriterOptions extends StoreOptions {
  /** Rejects an object that is too large for the store; called when its size is known. @default none is */
  readonly checkSize?: (lengthBytes: number) => Promise<void> | void
  /** Creates the object and never replaces one. `settleMs`: see {@link ExclusiveWriter}. */
  readonly exclusive?: { readonly settleMs: number }
  /** Stores the object. @default by one PUT, {@link putObject} */
  readonly store?: (object: NewObject, state: PutState, signal?: AbortSignal) => Promise<void>
}

/**
 * Stores one object when it is closed. `write` copies its argument. `writeFrom` does not: the body is streamed from the
 * caller's memory, again for each attempt, until `close` resolves.
 */
export class HttpObjectWriter implements ObjectWriter {
  readonly #server: ObjectServer
  readonly #object: ObjectAddress
  readonly #options: ObjectWriterOptions
  readonly #state: PutState = { maybeStored: false }
  /** Stored with an object that is created exclusively, to distinguish it from that of another writer. */
  readonly #writerId = randomUUID()
  readonly #pieces: Uint8Array[] = []
  #lengthBytes = 0
  #body: ReplayableBody | undefined

  constructor(server: ObjectServer, object: ObjectAddress, options: ObjectWriterOptions = {}) {
    this.#server = server
    this.#object = object
    this.#options = options
  }

  /** Adds bytes to the object. */
  async write(data: Uint8Array): Promise<void> {
    if (this.#body) throw eitherOr(this.#object)
    this.#pieces.push(Uint8Array.from(data))
    this.#lengthBytes += data.byteLength
    return Promise.resolve()
  }

  /** Sets the body of the whole object, which `close` sends. */
  async writeFrom(body: ReplayableBody): Promise<void> {
    if (this.#body || this.#pieces.length > 0) throw eitherOr(this.#object)
    this.#body = body
    return Promise.resolve()
  }

  /** Sends the object, and verifies that it is stored. */
  async close(): Promise<void> {
    const { checkSize, exclusive, signal, store } = this.#options
    const body: ReplayableBody = this.#body ?? {
      lengthBytes: this.#lengthBytes,
      stream: () => inOrder(this.#pieces),
    }
    await checkSize?.(body.lengthBytes)
    const object = {
      ...this.#object,
      body,
      ...(exclusive ? { exclusive: { ...exclusive, writerId: this.#writerId } } : {}),
    }
    await (store ? store(object, this.#state, signal) : putObject(this.#server, object, this.#state, signal))
    this.#discard()
  }

  /** Discards the data, and deletes the object if it may be stored; an exclusive writer deletes only its own. */
  async abort(): Promise<void> {
    this.#discard()
    if (!this.#state.maybeStored) return
    const signal = AbortSignal.timeout(cleanUpMs)
    try {
      if (this.#options.exclusive) {
        const options = { signal, policy: cleanUpPolicy }
        if ((await ownerOf(this.#server, this.#object, this.#writerId, options)) !== 'ours') return
      }
      await deleteObject(this.#server, this.#object, { signal }, cleanUpPolicy)
    } catch {
      // The caller reports the failure that caused the abort; the engine deletes what is left by name.
    }
  }

  #discard(): void {
    this.#pieces.length = 0
    this.#body = undefined
  }
}

function eitherOr(object: ObjectAddress): BackupError {
  return new BackupError(
    'STORE_FAILED',
    'Writing an object failed: it was written both in pieces and as a whole. Use one of the two.',
    { ...object },
  )
}

async function* inOrder(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield* bodyOf(piece).stream()
}
