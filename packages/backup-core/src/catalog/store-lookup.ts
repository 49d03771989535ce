import { readMetadata, readMetadataAt, type ChainLayer } from '../chain/chain.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { messageAbout } from '../errors/error-mapper.js'
import type { BackupMetadata } from '../format/metadata.js'
import { metadataObjectName } from '../format/object-names.js'
import type { WarningListener } from '../contracts/progress.js'
import type { BackupFilter, BackupLookup, BackupPlace } from './backup-lookup.js'
import { isUnreadable, type MarkerPlace } from './list-container.js'
import { newestFirst, recordOf, summarise, VolumeSizes, type Summary } from './summary.js'
import { StorePlaces, type Place } from './store-places.js'

interface Found extends Place {
  readonly metadata: BackupMetadata
}

/** How many `_metadata` objects are read at once. */
const READS_AT_ONCE = 8

/** Finds backups in the store itself, by its `_metadata` objects. */
export class StoreLookup implements BackupLookup {
  readonly #store: ObjectStore
  readonly #onWarning: WarningListener
  readonly #options: StoreOptions
  readonly #places: StorePlaces
  readonly #found = new Map<string, Found>()
  readonly #sizes = new VolumeSizes()

  constructor(store: ObjectStore, onWarning: WarningListener, options: StoreOptions) {
    this.#store = store
    this.#onWarning = onWarning
    this.#options = options
    this.#places = new StorePlaces(store, options)
  }

  async find(backupId: string, nearContainer?: string, prefix?: string): Promise<ChainLayer | undefined> {
    const found = await this.#find(backupId, nearContainer, prefix)
    if (!found) return undefined
    const { metadata } = found
    const record = recordOf(summarise(found, metadata), await this.#ancestors(found), this.#sizes)
    return { record, metadata }
  }

  async open(record: BackupRecord): Promise<ChainLayer> {
    const { id, container, prefix } = record
    const known = this.#found.get(id)
    if (known?.container === container && known.prefix === prefix) return { record, metadata: known.metadata }
    return { record, metadata: await readMetadata(this.#store, record, this.#options) }
  }

  async hasOther(backupId: string, { container, prefix }: BackupPlace): Promise<boolean> {
    for await (const place of this.#places.from(container)) {
      if (!place.prefix.includes(backupId)) continue
      if (place.container === container && place.prefix === prefix) continue
      try {
        const metadata = await readMetadataAt(this.#store, place, this.#options)
        if (metadata.backupId === backupId) return true
      } catch (error) {
        // Deleted since it was listed, or not a backup that the id finds.
        if (!isUnreadable(error) && !isBackupError(error, 'OBJECT_MISSING')) throw error
      }
    }
    return false
  }

  findMarkers(backupId: string): Promise<readonly MarkerPlace[]> {
    return this.#places.markersOf(backupId)
  }

  async searches(container: string): Promise<boolean> {
    for await (const name of this.#store.getContainers({ ...this.#options, only: container })) {
      if (name === container) return true
    }
    return false
  }

  async *newestFirst(volumeId: string, nearContainer?: string): AsyncIterable<BackupRecord> {
    const places = await this.#places.ofVolume(volumeId, nearContainer)
    const read = (some: readonly Place[]): Promise<readonly Summary[]> => this.#summariseAll(some, true)
    for await (const record of newestFirst(places, volumeId, read)) {
      const found = await this.find(record.id, record.container, record.prefix)
      if (found) yield found.record
    }
  }

  areListed(backupIds: readonly string[], nearContainer: string): Promise<boolean> {
    return this.#places.areListed(backupIds, nearContainer)
  }

  async *list({ volumeId, nearContainer, idPrefix }: BackupFilter): AsyncIterable<BackupRecord> {
    const listed = await (volumeId === undefined
      ? this.#places.all(nearContainer)
      : this.#places.ofVolume(volumeId, nearContainer))
    const places = idPrefix === undefined ? listed : this.#places.ofIdPrefix(listed, idPrefix)
    // A parent that was not looked for may be there all the same.
    const isPart = volumeId !== undefined || idPrefix !== undefined
    const summaries = new Map<string, Summary>()
    for (const summary of await this.#summariseAll(places, idPrefix !== undefined)) {
      const { id, container, prefix } = summary.record
      const other = summaries.get(id)?.record
      if (!other) summaries.set(id, summary)
      else if (other.container === container) {
        const { message } = idTwice(id, container, [other.prefix, prefix])
        this.#onWarning({ code: 'ID_TWICE', message, backupId: id })
      }
    }
    const sizes = new VolumeSizes()
    for (const summary of summaries.values()) {
      if (volumeId !== undefined && summary.record.volumeId !== volumeId) continue
      if (idPrefix !== undefined && !summary.record.id.startsWith(idPrefix)) continue
      const record = await this.#withParents(recordOf(summary, summaries, sizes), idPrefix !== undefined)
      const { id, parentId } = record
      const isThere = async (id: string): Promise<boolean> =>
        summaries.has(id) || (isPart && (await this.#isReadable(id, record.container)))
      if (parentId !== null && !(await isThere(parentId))) {
        this.#onWarning({
          code: 'PARENT_MISSING',
          message:
            `Backup ${id} cannot be restored from here: its parent, ${parentId}, is not among the backups found.` +
            (record.sizeIsMinimum ? ' The size shown is that of its own objects alone.' : ''),
          backupId: id,
        })
      }
      yield record
    }
  }

  /** The record of a backup whose parents, which tell its size, may not be among those that were listed. */
  async #withParents(record: BackupRecord, isPart: boolean): Promise<BackupRecord> {
    if (!isPart || record.sizeIsMinimum !== true) return record
    return (await this.find(record.id, record.container, record.prefix))?.record ?? record
  }

  async #isReadable(backupId: string, nearContainer: string): Promise<boolean> {
    return this.#find(backupId, nearContainer, undefined).then(
      (found) => found !== undefined,
      (error: unknown) => {
        if (isUnreadable(error) || isBackupError(error, 'CONFLICT')) return false
        throw error
      },
    )
  }

  /** The backups that the size of this one is told by. One that is not there, or not readable, ends the line. */
  async #ancestors(found: Found): Promise<ReadonlyMap<string, Summary>> {
    const line = new Map<string, Summary>()
    let child = found
    for (;;) {
      const { parentId, volumeSizeBytes } = child.metadata
      if (volumeSizeBytes !== null || parentId === null || line.has(parentId) || this.#sizes.has(parentId))
        return line
      const { parentPrefix } = child.metadata
      const parent = await this.#find(parentId, child.container, parentPrefix).catch((error: unknown) => {
        if (isUnreadable(error)) return undefined
        throw error
      })
      if (!parent) return line
      line.set(parentId, summarise(parent, parent.metadata))
      child = parent
    }
  }

  /** A prefix contains its backup's id, so only such places can be the backup's. */
  async #find(
    backupId: string,
    nearContainer: string | undefined,
    prefix: string | undefined,
  ): Promise<Found | undefined> {
    const known = this.#found.get(backupId)
    if (known && (prefix === undefined || known.prefix === prefix)) return known
    if (nearContainer !== undefined && prefix !== undefined) {
      const found = await this.#findAt(backupId, nearContainer, prefix)
      if (found) return found
    }
    let unreadable: BackupError | undefined
    let unlisted: BackupError | undefined
    for await (const place of this.#places.candidates(backupId, nearContainer)) {
      unlisted ??= place.unlisted
      if (place.unlisted || (prefix !== undefined && place.prefix !== prefix)) continue
      try {
        const metadata = await readMetadataAt(this.#store, place, this.#options)
        if (metadata.backupId !== backupId) continue
        if (prefix === undefined) await this.#assertOnlyOne(backupId, place)
        const found = { ...place, metadata }
        this.#found.set(backupId, found)
        return found
      } catch (error) {
        if (!isUnreadable(error)) {
          // Deleted since it was listed.
          if (isBackupError(error, 'OBJECT_MISSING')) continue
          throw error
        }
        // Whoever asks for this very backup is told what is wrong with it.
        if (place.prefix.endsWith(backupId)) unreadable ??= error
      }
    }
    // It may be where nothing could be listed: that there is no such backup would be a guess.
    const reason = unreadable ?? unlisted
    if (reason) throw reason
    return undefined
  }

  /** A backup at the place where it is said to be; what is wrong there is for a search to find out. */
  async #findAt(backupId: string, container: string, prefix: string): Promise<Found | undefined> {
    const place = { container, prefix, objectName: metadataObjectName(prefix) }
    try {
      const metadata = await readMetadataAt(this.#store, place, this.#options)
      if (metadata.backupId !== backupId) return undefined
      const found = { ...place, metadata }
      this.#found.set(backupId, found)
      return found
    } catch (error) {
      if (isUnreadable(error) || isBackupError(error, 'OBJECT_MISSING')) return undefined
      throw error
    }
  }

  /** Rejects where a container has another backup of the id: neither is to be taken for the other. */
  async #assertOnlyOne(backupId: string, { container, prefix }: Place): Promise<void> {
    for (const other of this.#places.endingWith(backupId, container)) {
      if (other.prefix === prefix) continue
      const isBackup = await readMetadataAt(this.#store, other, this.#options).then(
        (metadata) => metadata.backupId === backupId,
        (error: unknown) => {
          if (isUnreadable(error) || isBackupError(error, 'OBJECT_MISSING')) return false
          throw error
        },
      )
      if (isBackup) throw idTwice(backupId, container, [prefix, other.prefix])
    }
  }

  /**
   * Manifests may have millions of objects: no more than a few are held at a time.
   *
   * @param keep - holds them where they are few, for one of them is wanted next
   */
  async #summariseAll(places: readonly Place[], keep = false): Promise<readonly Summary[]> {
    const isKept = keep && places.length <= READS_AT_ONCE
    const summaries: Summary[] = []
    for (let start = 0; start < places.length; start += READS_AT_ONCE) {
      const batch = places.slice(start, start + READS_AT_ONCE)
      for (const summary of await Promise.all(batch.map((place) => this.#summariseAt(place, isKept)))) {
        if (summary) summaries.push(summary)
      }
    }
    return summaries
  }

  async #summariseAt(place: Place, keep: boolean): Promise<Summary | undefined> {
    try {
      if (place.unlisted) throw place.unlisted
      const metadata = await readMetadataAt(this.#store, place, this.#options)
      if (keep) this.#found.set(metadata.backupId, { ...place, metadata })
      return summarise(place, metadata)
    } catch (error) {
      if (isBackupError(error, 'OBJECT_MISSING')) return undefined
      if (!isUnreadable(error)) throw error
      this.#onWarning({
        code: 'METADATA_UNREADABLE',
        message: place.unlisted
          ? `The backups in a container are left out: ${messageAbout(error, place.container)}`
          : `A backup is left out: ${messageAbout(error, place.objectName, `${place.objectName} in ${place.container}`)}`,
      })
      return undefined
    }
  }
}

/** The error for two backups of one id in a container: which one an incremental was made on cannot be told. */
function idTwice(backupId: string, container: string, [one, other]: readonly [string, string]): BackupError {
  return new BackupError(
    'CONFLICT',
    `The container ${container} has two backups with the id ${backupId}, ${one} and ${other}. ` +
      'Move the `_metadata` object of the wrong one out of the store.',
    { backupId, container },
  )
}
