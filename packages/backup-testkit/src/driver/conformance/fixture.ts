import type { ChunkedBackupDriver, ChunkedDriverOptions, NewBackup } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { Place } from './place.js'
import type { ConformanceStore, DriverConformanceOptions } from './types.js'

/** The sizes of the engine's tests: small, so that a few KiB make many chunks. */
export const chunkSizeBytes = 4096
export const blockSizeBytes = 1024

/** What a test works with: a store of its own, and drivers on it. */
export class Fixture {
  readonly #drivers: ChunkedBackupDriver[] = []

  private constructor(
    private readonly store: ConformanceStore,
    private readonly options: DriverConformanceOptions,
    /** The driver under test, with small chunks. */
    readonly driver: ChunkedBackupDriver,
    /** The default container of every driver: where one that cannot list containers finds its backups. */
    readonly defaultContainer: string,
  ) {
    this.#drivers.push(driver)
  }

  static async create(options: DriverConformanceOptions): Promise<Fixture> {
    const store = await options.create()
    try {
      const container = options.container ?? unusedName()
      const driver = await store.open({ chunkSizeBytes, blockSizeBytes, container })
      return new Fixture(store, options, driver, container)
    } catch (error) {
      await store.destroy?.()
      throw error
    }
  }

  /** Another driver on the same store. */
  async open(options: ChunkedDriverOptions = {}): Promise<ChunkedBackupDriver> {
    const driver = await this.#open(options)
    this.#drivers.push(driver)
    return driver
  }

  /** Another driver on the same store, for a wrapper that closes it. */
  openUnowned(): ChunkedBackupDriver | Promise<ChunkedBackupDriver> {
    return this.#open()
  }

  /** A container's name that nothing else uses. */
  containerName(): string {
    return this.options.container ?? this.unusedContainerName()
  }

  /** A container's name that nothing else uses, whatever the options say. */
  unusedContainerName(): string {
    return unusedName()
  }

  newBackup(overrides: Partial<NewBackup> = {}): NewBackup {
    return {
      id: randomUUID(),
      volumeId: randomUUID(),
      parentId: null,
      container: this.containerName(),
      name: null,
      description: null,
      createdAt: new Date('2026-01-02T03:04:05Z'),
      ...overrides,
    }
  }

  /** Where the objects of a new backup go, in a container that is there. */
  async place(overrides: Partial<NewBackup> = {}): Promise<Place> {
    const place = await this.placeWithoutContainer(overrides)
    await this.driver.putContainer(place.container, {})
    return place
  }

  /** Where the objects of a new backup would go, in a container that does not exist. */
  async placeWithoutContainer(overrides: Partial<NewBackup> = {}): Promise<Place> {
    const backup = this.newBackup(overrides)
    const container = this.driver.updateContainerName(backup, backup.container) ?? this.containerName()
    const extraMetadata = await this.driver.getExtraMetadata(backup)
    return new Place(this.driver, container, this.driver.generateObjectNamePrefix(backup), extraMetadata)
  }

  async destroy(): Promise<void> {
    for (const driver of this.#drivers) await driver.close()
    await this.store.destroy?.()
  }

  #open(options: ChunkedDriverOptions = {}): ChunkedBackupDriver | Promise<ChunkedBackupDriver> {
    return this.store.open({ chunkSizeBytes, blockSizeBytes, container: this.defaultContainer, ...options })
  }
}

function unusedName(): string {
  return `conformance-${randomUUID()}`
}
