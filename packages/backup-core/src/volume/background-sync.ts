/**
 * The number of written bytes after which a sync starts, while more are fetched. Otherwise most of a volume would be written to
 * the disk at the end: by itself, Linux begins only after many seconds, or when such data fills a tenth of the memory.
 */
const SYNC_INTERVAL_BYTES = 64 * 1024 * 1024

/**
 * Makes a file that is being written durable, one sync at a time. The kernel reports a failed write once, and a sync after it
 * may succeed: so no sync follows one that failed.
 */
export class BackgroundSync {
  readonly #sync: () => Promise<void>
  #unsyncedBytes = 0
  /** The sync that is running, or the one that failed. */
  #syncing: Promise<void> | undefined
  #hasFailed = false

  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** Counts written bytes, and starts a sync where there have been enough of them. */
  written(lengthBytes: number): void {
    this.#unsyncedBytes += lengthBytes
    if (this.#syncing || this.#unsyncedBytes < SYNC_INTERVAL_BYTES) return
    this.#unsyncedBytes = 0
    const syncing = this.#sync()
    this.#syncing = syncing
    syncing.then(
      () => {
        this.#syncing = undefined
      },
      () => {
        this.#hasFailed = true
      },
    )
  }

  /** Throws the error of a sync that has failed. */
  async throwIfFailed(): Promise<void> {
    if (this.#hasFailed) await this.#syncing
  }

  /** Waits for a sync that is running. Throws the error of one that has failed. */
  async ended(): Promise<void> {
    await this.#syncing
  }
}
