import { readManifestAt } from '../chain/chain.js'
import type { Manifest } from '../format/manifest.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'
import type { BackupLocation, StoreAccess } from '../store/access.js'
import type { ManifestLocation, StoreIndex } from './store-index.js'

/** For fewer ancestors, the listing that finds them takes as long as reading one after the other. */
const MIN_ANCESTORS = 4

/** The maximum number of manifests that are read on the guess that they are ancestors. */
const MAX_GUESSED = 16

/**
 * Reads the manifests of a chain concurrently: each names its parent, so that without this one would be read after the other.
 *
 * Stowage's manifests name all ancestors. Cinder's do not, and each is guessed to be the incremental of the backup before
 * it, as scheduled backups are: the more often that was right, the more are read at a time. A wrong guess costs a request.
 */
export class AncestorPrefetch {
  /** By location. Each is taken once. */
  readonly #manifests = new Map<string, Manifest>()
  readonly #ids = new Set<string>()
  #guesses = 1

  constructor(
    private readonly access: StoreAccess,
    private readonly index: StoreIndex,
  ) {}

  /** Reads what are probably this backup's ancestors, where they were not read before. Fails never: they are read again. */
  async readAhead(child: BackupLocation, manifest: Manifest): Promise<void> {
    const { parentId, ancestorIds, volumeId } = manifest
    if (parentId === null || this.#ids.has(parentId)) return
    try {
      const ancestors = ancestorIds
        ? await this.#named(child.container, volumeId, ancestorIds)
        : await this.#guessed(child, volumeId, parentId)
      await mapConcurrently(ancestors, (location) => this.#read(location))
    } catch {
      // Whoever needs what could not be listed asks for it again, and reports the error.
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
    const byId = [...(await this.index.volumeById(child.container, volumeId))]
    // The names of a volume's backups ascend with the time.
    const before = byId.filter(([, { prefix }]) => prefix < child.prefix)
    const newestFirst = before.sort(([, a], [, b]) => (a.prefix < b.prefix ? 1 : -1))
    if (newestFirst[0]?.[0] !== parentId) return []
    this.#guesses = Math.min(MAX_GUESSED, this.#guesses * 2)
    return newestFirst.slice(0, this.#guesses).map(([, location]) => location)
  }

  async #read(location: ManifestLocation): Promise<void> {
    try {
      const manifest = await readManifestAt(this.access, location)
      this.#manifests.set(keyOf(location), manifest)
      this.#ids.add(manifest.backupId)
    } catch {
      // It may not be needed, or be deleted just now.
    }
  }
}

function keyOf({ container, prefix }: BackupLocation): string {
  return `${container}\n${prefix}`
}
