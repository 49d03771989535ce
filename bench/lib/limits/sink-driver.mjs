import { BackupError, ChunkedBackupDriver } from '@stowage/backup-core'

const pageBytes = 4096

/** A backend without a store: it reads a byte of each page of what it is handed, and keeps the names alone. */
export class SinkDriver extends ChunkedBackupDriver {
  capabilities = Object.freeze({ streamingWrites: true })
  bytesSeen = 0
  #names = new Set()

  /** @param {import('@stowage/backup-core').ChunkedDriverOptions} options */
  constructor(options) {
    super(options, {
      chunkSizeBytes: 52_428_800,
      blockSizeBytes: 32_768,
      container: 'sink',
      serviceName: 'sink',
    })
  }

  async putContainer() {
    // There is none.
  }

  /**
   * @param {string} _container
   * @param {string} prefix
   */
  async *getContainerEntries(_container, prefix) {
    for (const name of this.#names) if (name.startsWith(prefix)) yield name
  }

  /**
   * @param {string} _container
   * @param {string} objectName
   */
  async getObjectWriter(_container, objectName) {
    return {
      write: async (/** @type {Uint8Array} */ bytes) => {
        let sum = 0
        for (let at = 0; at < bytes.length; at += pageBytes) sum += /** @type {number} */ (bytes[at])
        if (Number.isNaN(sum)) throw new Error('The sum keeps the reads from being dropped.')
        this.bytesSeen += bytes.length
      },
      close: async () => {
        this.#names.add(objectName)
      },
      abort: async () => undefined,
    }
  }

  /**
   * @param {string} container
   * @param {string} objectName
   * @returns {Promise<never>}
   */
  async getObjectReader(container, objectName) {
    throw new BackupError('OBJECT_MISSING', 'A sink keeps nothing.', { container, objectName })
  }

  /**
   * @param {string} _container
   * @param {string} objectName
   */
  async deleteObject(_container, objectName) {
    this.#names.delete(objectName)
  }

  /** @param {{ volumeId: string, id: string }} backup */
  generateObjectNamePrefix({ volumeId, id }) {
    return `volume_${volumeId}/backup_${id}`
  }

  /**
   * @param {unknown} _backup
   * @param {string | null} container
   */
  updateContainerName(_backup, container) {
    return container
  }

  async getExtraMetadata() {
    return null
  }

  async checkForSetupError() {
    // Nothing can be wrong.
  }
}
