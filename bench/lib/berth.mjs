import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A fresh place in the store, and a directory for what a client notes about it.
 *
 * @typedef {object} Berth
 * @property {import('./stores/place.mjs').Place} place
 * @property {string} scratch
 * @property {() => Promise<void>} remove
 */

/** Hands out berths, and removes at the end those that a failure has left. */
export class Berths {
  #store
  #directory
  #count = 0
  #open = new Set()

  /**
   * @param {import('./stores/place.mjs').Store} store
   * @param {string} directory
   */
  constructor(store, directory) {
    this.#store = store
    this.#directory = directory
  }

  /** @returns {Promise<Berth>} */
  async open(/** @type {string} */ label) {
    this.#count += 1
    const name = `bench-${process.pid}-${this.#count}-${label.replace(/[^a-z0-9]+/gi, '-')}`
    const scratch = join(this.#directory, name)
    await mkdir(scratch, { recursive: true })
    const place = await this.#store.newPlace(name)
    const berth = {
      place,
      scratch,
      remove: async () => {
        this.#open.delete(berth)
        await rm(scratch, { recursive: true, force: true })
        await this.#store.remove(place)
      },
    }
    this.#open.add(berth)
    return berth
  }

  async removeAll() {
    for (const berth of [...this.#open]) await berth.remove()
  }
}
