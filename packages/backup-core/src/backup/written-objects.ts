import type { ObjectOptions, ObjectStore, ReplayableBody } from '../contracts/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { writeObject } from '../store/objects.js'

/**
 * Writes the objects of one backup run, and knows which of them that run may have created: a clean-up removes those, and
 * nothing else. No object is replaced where the store can create exclusively.
 */
export class WrittenObjects {
  readonly #store: ObjectStore
  readonly #container: string
  readonly #names = new Set<string>()

  constructor(store: ObjectStore, container: string) {
    this.#store = store
    this.#container = container
  }

  /** Names of objects that exist because of this run, or may: an answer that was lost may have been a success. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** @throws `CONFLICT` where the object exists already: it is another run's, and not in {@link names} */
  async write(objectName: string, body: ReplayableBody, options: ObjectOptions): Promise<void> {
    const exclusive = this.#store.capabilities.exclusiveCreate === true
    this.#names.add(objectName)
    try {
      const writerOptions = exclusive ? { ...options, exclusive } : options
      await writeObject(this.#store, this.#container, objectName, body, writerOptions)
    } catch (error) {
      if (isBackupError(error, 'CONFLICT')) this.#names.delete(objectName)
      throw error
    }
  }
}
