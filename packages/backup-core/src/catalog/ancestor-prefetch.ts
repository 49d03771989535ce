import { readManifestAt } from '../chain/chain.js'
import type { Manifest } from '../format/manifest.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'
import { ifReadable, type BackupLocation, type StoreAccess } from '../store/access.js'
import type { ManifestLocation, StoreIndex } from './store-index.js'

/** For fewer ancestors, listing the volume's backups takes as long as reading the manifests one after the other. */
const MIN_ANCESTORS = 4

/** The maximum number of manifests that are read at a time on the guess that they are ancestors. */
const MAX_GUESSED = 16

/**
 * Reads the manifests of a chain concurrently. Each names only its parent, so otherwise they would be read one after the
 * other.
 *
 * Stowage's manifests name all ancestors. Cinder's do not: the parent is guessed to be the volume's backup before it, as in
 * scheduled backups. The more often that was right, the more are read at a time. A wrong guess costs a request.
 */
export class AncestorPrefetch {
  /** By location. Each is taken once. */
  readonly #manifests = new Map<string, Manifest>()
  readonly #ids = new Set<string>()
  /** How many manifests the last guess read; doubles with each guess that was right. */
  #guessedAtOnce = 1
  #hasFailed = false

  constructor(
    private readonly access: StoreAccess,
    private readonly index: StoreIndex,
  ) {}

  /**
   * Reads what are probably this backup's ancestors, except those that were read before. Never rejects: what could not be
   * read is read again when it is needed.
   */
  async readAhead(child: BackupLocation, manifest: Manifest): Promise<void> {
    const { parentId, ancestorIds, volumeId } = manifest
    if (this.#hasFailed || parentId === null || this.#ids.has(parentId)) return
    try {
      const ancestors = ancestorIds
        ? await this.#named(child.container, volumeId, ancestorIds)
        : await this.#guessed(child, volumeId, parentId)
      const unread = ancestors.filter((location) => !this.#manifests.has(keyOf(location)))
      await mapConcurrently(unread, (location) => this.#read(location))
    } catch {
      // The error is reported when the manifest or the listing is needed. The store may not respond: nothing more is read ahead.
      this.#hasFailed = true
    }
  }

  /** Removes and returns a manifest that was read ahead. */
  take(location: BackupLocation): Manifest | undefined {
    const key = keyOf(location)
    const manifest = this.#manifests.get(key)
    this.#manifests.delete(key)
    return manifest
  }

  async #named(
    container: string,
    volumeId: string,
    ancestorIds: readonly string[],
  ): Promise<readonly ManifestLocation[]> {
    if (ancestorIds.length < MIN_ANCESTORS) return []
    const byId = await this.index.volumeById(container, volumeId)
    return ancestorIds.flatMap((id) => byId.get(id) ?? [])
  }

  async #guessed(
    child: BackupLocation,
    volumeId: string,
    parentId: string,
  ): Promise<readonly ManifestLocation[]> {
    // Finding the parent lists the whole container, since its prefix is not named: a listing of the volume would be another one.
    if ((await this.index.withIdAtEnd(parentId, child.container)).length === 0) return []
    const byId = [...(await this.index.volumeById(child.container, volumeId))]
    // The names of a volume's backups ascend with the time.
    const before = byId.filter(([, { prefix }]) => prefix < child.prefix)
    const newestFirst = before.sort(([, a], [, b]) => (a.prefix < b.prefix ? 1 : -1))
    if (newestFirst[0]?.[0] !== parentId) return []
    this.#guessedAtOnce = Math.min(MAX_GUESSED, this.#guessedAtOnce * 2)
    return newestFirst.slice(0, this.#guessedAtOnce).map(([, location]) => location)
  }

  async #read(location: ManifestLocation): Promise<void> {
    // One that is damaged, or was deleted just now, may not be needed.
    const manifest = await ifReadable(readManifestAt(this.access, location))
    if (!manifest) return
    this.#manifests.set(keyOf(location), manifest)
    this.#ids.add(manifest.backupId)
  }
}

function keyOf({ container, prefix }: BackupLocation): string {
  return `${container}\n${prefix}`
}
