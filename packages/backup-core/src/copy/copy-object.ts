import type { BackupObjectWriter } from '../commit/object-writer.js'
import type { ObjectStore, ReplayableBody } from '../contracts/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { ObjectFetch, fetchMemoryBytes, type ChainObject, type FetchJob } from '../fetch/fetch-object.js'
import type { MemoryLease } from '../pipeline/byte-budget.js'
import type { PipelineContext } from '../pipeline/pipeline.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'
import { StoreAccess } from '../store/access.js'
import { countedBody, partsBody } from '../store/objects.js'
import { StoredBody } from './stored-body.js'
import { isSameObject, knownByManifest, type ObjectPlace } from './stored-objects.js'

/** The fraction of an object's progress that fetching and verifying it is. */
const FETCH_FRACTION = 1 / 2

/** Where the objects of one backup go. */
export interface ObjectsTarget {
  readonly store: ObjectStore
  readonly container: string
  readonly writer: BackupObjectWriter
  /** The names that exist under the prefix: an earlier copy stored them, or another backup that failed. */
  readonly existing: ReadonlySet<string>
}

/** An object to copy. */
export interface ObjectToCopy extends ChainObject {
  /** In the destination. */
  readonly targetName: string
  /** Whether its content is verified, and not only the stored bytes. */
  readonly checked: boolean
  /** Set for an object that is copied while it is read: the length of its stored form. */
  readonly streamedBytes: number | undefined
}

/** Copies one object as it is stored, within a pipeline. */
export class ObjectCopy {
  readonly #fetch: ObjectFetch
  readonly #portion: Portion

  constructor(
    private readonly job: FetchJob,
    private readonly item: ObjectToCopy,
    private readonly target: ObjectsTarget,
    private readonly context: PipelineContext,
    private readonly meter: ProgressMeter,
    readonly memory: MemoryLease,
  ) {
    this.#fetch = new ObjectFetch(job, item, context)
    this.#portion = new Portion(meter, item.object.lengthBytes)
  }

  /** @returns the number of bytes that were stored; undefined where the destination had the object */
  async run(): Promise<number | undefined> {
    const { targetName } = this.item
    const exists = this.target.existing.has(targetName)
    const sentBytes = exists && (await this.#isStored()) ? undefined : await this.#copy(exists)
    this.#portion.finish()
    if (sentBytes !== undefined) this.meter.add({ transferredBytes: sentBytes, objects: 1 })
    return sentBytes
  }

  /** @param replaces - another object of the name, which a failed backup left */
  async #copy(replaces: boolean): Promise<number | undefined> {
    const { streamedBytes } = this.item
    try {
      return await (streamedBytes === undefined
        ? this.#whole(replaces)
        : this.#streamed(streamedBytes, replaces))
    } catch (error) {
      // Another run of this copy stored it meanwhile, or an earlier one did and the listing lagged.
      if (isBackupError(error, 'CONFLICT') && (await this.#isStored())) return undefined
      throw error
    }
  }

  /** Fetches the object and verifies it before a byte of it is sent. */
  async #whole(replaces: boolean): Promise<number> {
    const { object } = this.item
    const { buffers, storedBuffers, slots } = this.context
    const pool = object.compression === 'none' ? buffers : storedBuffers
    let buffer: Uint8Array | undefined
    const release = (): void => {
      if (buffer) pool.release(buffer)
      buffer = undefined
    }
    try {
      const stored = await this.#fetch.retryIfCorrupt(async (again) => {
        release()
        if (again) await this.memory.retake(fetchMemoryBytes(object))
        const own = pool.take(object.lengthBytes)
        buffer = own
        return slots.run(object.lengthBytes, () => this.#fetchInto(own, again))
      })
      this.memory.keepOnly(stored.length)
      const md5 = object.compression === 'none' ? object.md5 : null
      const known = md5 === null ? undefined : (): Promise<string> => Promise.resolve(md5)
      await this.#write(partsBody([stored], known), replaces)
      return stored.length
    } finally {
      release()
    }
  }

  async #fetchInto(buffer: Uint8Array, again: boolean): Promise<Uint8Array> {
    const { object, checked } = this.item
    const onFetched = this.#portion.step(0, FETCH_FRACTION)
    const stored = await this.#fetch.stored(buffer, { checkedByStore: again || !checked, onFetched })
    if (!checked) return stored
    const { buffers } = this.context
    const isRaw = object.compression === 'none'
    const rawBuffer = isRaw ? buffer : buffers.take(object.lengthBytes)
    try {
      const raw = await this.#fetch.decompress(stored, rawBuffer, () => undefined)
      await this.#fetch.checkMd5(raw)
      return isRaw ? raw : stored
    } finally {
      if (!isRaw) buffers.release(rawBuffer)
    }
  }

  /** Sends the object while it is read; the last byte once it is verified. */
  async #streamed(lengthBytes: number, replaces: boolean): Promise<number> {
    const { object, checked } = this.item
    const read = async (use: (piece: Uint8Array) => Promise<void>): Promise<void> => {
      if (checked) {
        await this.#fetch.inPieces(() => Promise.resolve(), use)
        return
      }
      const { access, container, objectName } = this.#source()
      const useAll = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
        for await (const piece of pieces) await use(piece)
      }
      await access.stream(container, objectName, useAll, this.item.layer.manifest.extraMetadata)
    }
    await this.#fetch.retryIfCorrupt(async () => {
      const { md5 } = knownByManifest(object)
      const body = new StoredBody(lengthBytes, read, md5)
      await this.#write(body, replaces, () => body.failure).catch((error: unknown) => {
        throw body.failure ?? error
      })
    })
    return lengthBytes
  }

  /** @param failureOfSource - why the body could not be produced, whatever error the destination made of it */
  #write(body: ReplayableBody, replaces: boolean, failureOfSource?: () => unknown): Promise<void> {
    const { signal, slots, fail } = this.context
    const { object, targetName, layer } = this.item
    const { store, container, writer } = this.target
    const options = { signal, extraMetadata: layer.manifest.extraMetadata }
    const onFailure = (error: unknown): void => {
      const failure = failureOfSource?.() ?? error
      const mayContinue = isBackupError(failure, 'CONFLICT') || isBackupError(failure, 'OBJECT_CORRUPT')
      if (!mayContinue) fail(failure)
    }
    return slots.run(object.lengthBytes, async () => {
      if (replaces) await store.deleteObject(container, targetName, { signal })
      const onSent = this.#portion.step(FETCH_FRACTION, 1)
      await writer.write(targetName, countedBody(body, onSent), options, onFailure)
    })
  }

  #isStored(): Promise<boolean> {
    const { object, targetName } = this.item
    const { store, container } = this.target
    const { signal, slots } = this.context
    const target = { access: new StoreAccess(store, { signal }), container, objectName: targetName }
    return slots.run(object.lengthBytes, () => isSameObject(target, this.#source(), knownByManifest(object)))
  }

  #source(): ObjectPlace {
    const { layer, object } = this.item
    const access = new StoreAccess(this.job.access.store, { signal: this.context.signal })
    return { access, container: layer.record.container, objectName: object.name }
  }
}
