import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Directories below one directory. */
export class PosixStore {
  kind = /** @type {const} */ ('posix')
  #directory

  /** @param {string} directory */
  constructor(directory) {
    this.#directory = directory
  }

  get what() {
    return `directories below ${this.#directory}`
  }

  /** @param {string} name */
  async newPlace(name) {
    const path = join(this.#directory, name)
    await mkdir(path, { recursive: true })
    // A directory is a store if it has this mark: `stowage init` writes the same.
    const mark = { format: 'stowage-posix-store', version: 1, id: randomUUID() }
    await writeFile(join(path, '.stowage-store'), JSON.stringify(mark))
    return { store: this, name, path, account: undefined }
  }

  /**
   * @param {import('./place.mjs').Place} place
   * @param {string} backupId
   */
  async removeBackup({ path = '' }, backupId) {
    for (const name of await readdir(path, { recursive: true })) {
      if (name.includes(backupId)) await rm(join(path, name), { recursive: true, force: true })
    }
  }

  /** @param {import('./place.mjs').Place} place */
  async remove({ path = '' }) {
    await rm(path, { recursive: true, force: true })
  }

  async close() {
    await rm(this.#directory, { recursive: true, force: true })
  }
}
