import type { ObjectOptions, ObjectStore, ReplayableBody } from '../contracts/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { withheldBody, writeObject } from '../store/objects.js'

/**
 * Writes the objects of one backup run, and records those that the run may have created: a clean-up removes them, and no
 * others. No object is replaced where the store can create exclusively, and none is complete before the prefix is claimed.
 */
export class BackupObjectWriter {
  readonly #store: ObjectStore
  readonly #container: string
  readonly #claimed: Promise<unknown>
  readonly #names = new Set<string>()

  /** @param claimed - resolves when no other run can write under the prefix */
  constructor(store: ObjectStore, container: string, claimed: Promise<unknown>) {
    this.#store = store
    this.#container = container
    this.#claimed = claimed
  }

  /** Names of objects that this run created, or may have created: a response that was lost may have been a success. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** @throws BackupError `CONFLICT` where the object already exists: another run wrote it, and {@link names} lacks it */
  async write(
    objectName: string,
    body: ReplayableBody,
    options: ObjectOptions,
    onFailure?: (error: unknown) => void,
  ): Promise<void> {
    const exclusive = this.#store.capabilities.exclusiveCreate === true
    // Without its last bytes no store has the object: until the claim succeeds, an object of this name is another run's.
    const claimedBody = withheldBody(body, async () => {
      await this.#claimed
      this.#names.add(objectName)
    })
    try {
      const writerOptions = exclusive ? { ...options, exclusive } : options
      await writeObject(this.#store, this.#container, objectName, claimedBody, writerOptions, onFailure)
      // A backend that took only a part of the body may have stored that.
      this.#names.add(objectName)
    } catch (error) {
      if (isBackupError(error, 'CONFLICT')) this.#names.delete(objectName)
      throw error
    }
  }
}
