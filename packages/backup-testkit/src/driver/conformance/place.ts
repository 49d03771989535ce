import type {
  ChunkedBackupDriver,
  ExtraMetadata,
  ObjectInfo,
  ObjectReader,
  ObjectWriter,
  ReplayableBody,
} from '@stowage/backup-core'

/** Where the objects of one backup are, with the hooks as the engine calls them. */
export class Place {
  constructor(
    readonly driver: ChunkedBackupDriver,
    readonly container: string,
    readonly prefix: string,
    readonly extraMetadata: ExtraMetadata,
  ) {}

  /** The same place, seen by another driver. */
  seenBy(driver: ChunkedBackupDriver): Place {
    return new Place(driver, this.container, this.prefix, this.extraMetadata)
  }

  /** The name of the n-th chunk object. */
  chunk(n: number): string {
    return `${this.prefix}-${String(n).padStart(5, '0')}`
  }

  writer(objectName: string, signal?: AbortSignal): Promise<ObjectWriter> {
    const options = { extraMetadata: this.extraMetadata, ...(signal && { signal }) }
    return this.driver.getObjectWriter(this.container, objectName, options)
  }

  /** Writes an object that must not exist yet. */
  create(objectName: string, ...pieces: Uint8Array[]): Promise<void> {
    return this.#create(objectName, false, pieces)
  }

  /** The same for an object that keeps concurrent writers apart. */
  claim(objectName: string, ...pieces: Uint8Array[]): Promise<void> {
    return this.#create(objectName, true, pieces)
  }

  async #create(objectName: string, claim: boolean, pieces: readonly Uint8Array[]): Promise<void> {
    const options = { extraMetadata: this.extraMetadata, exclusive: true, claim }
    await written(await this.driver.getObjectWriter(this.container, objectName, options), pieces)
  }

  /** Opens a reader for a body, and closes it whatever happens. */
  async read<T>(
    objectName: string,
    body: (reader: ObjectReader) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const options = { extraMetadata: this.extraMetadata, ...(signal && { signal }) }
    const reader = await this.driver.getObjectReader(this.container, objectName, options)
    try {
      return await body(reader)
    } finally {
      await reader.close?.()
    }
  }

  async put(objectName: string, ...pieces: Uint8Array[]): Promise<void> {
    await written(await this.writer(objectName), pieces)
  }

  /** Writes a body as the engine does: from the body where the writer takes one, else piece by piece. */
  async putBody(objectName: string, body: ReplayableBody): Promise<void> {
    const writer = await this.writer(objectName)
    try {
      if (writer.writeFrom) await writer.writeFrom(body)
      else for await (const piece of body.stream()) await writer.write(piece)
      await writer.close()
    } catch (error) {
      await writer.abort()
      throw error
    }
  }

  get(objectName: string): Promise<Uint8Array> {
    return this.read(objectName, (reader) => reader.read())
  }

  exists(objectName: string): Promise<boolean> {
    return this.driver.objectExists(this.container, objectName, {})
  }

  modifiedAt(objectName: string): Promise<Date | undefined> {
    return this.driver.objectModifiedAt(this.container, objectName, {})
  }

  info(objectName: string): Promise<ObjectInfo | undefined> {
    return this.driver.objectInfo(this.container, objectName, {})
  }

  delete(objectName: string): Promise<void> {
    return this.driver.deleteObject(this.container, objectName, {})
  }

  /** What the driver lists, in the order of code units. */
  async list(prefix = this.prefix): Promise<string[]> {
    const names: string[] = []
    for await (const name of this.driver.getContainerEntries(this.container, prefix, {})) names.push(name)
    return names.sort()
  }
}

async function written(writer: ObjectWriter, pieces: readonly Uint8Array[]): Promise<void> {
  try {
    for (const piece of pieces) await writer.write(piece)
    await writer.close()
  } catch (error) {
    await writer.abort()
    throw error
  }
}
