/** The objects of a {@link MemoryBackupDriver}. Several drivers may share one, as processes share a disk. */
export class MemoryStore {
  readonly #containers = new Map<string, Map<string, Uint8Array>>()
  readonly #modifiedAt = new Map<string, Date>()

  /** Makes a container unless it exists. */
  createContainer(container: string): void {
    if (!this.hasContainer(container)) this.#containers.set(container, new Map())
  }

  hasContainer(container: string): boolean {
    return this.#containers.has(container)
  }

  /** The names of all containers. */
  containers(): string[] {
    return [...this.#containers.keys()]
  }

  /** The names in a container that begin with `prefix`; none in a container that does not exist. */
  list(container: string, prefix = ''): string[] {
    return [...(this.#containers.get(container)?.keys() ?? [])].filter((name) => name.startsWith(prefix))
  }

  /** The bytes of an object, which are the store's own: copy them before you change them. */
  get(container: string, objectName: string): Uint8Array | undefined {
    return this.#containers.get(container)?.get(objectName)
  }

  /** Puts a copy of the bytes in place of an object. Makes the container unless it exists. */
  set(container: string, objectName: string, bytes: Uint8Array): void {
    this.createContainer(container)
    this.#containers.get(container)?.set(objectName, Uint8Array.from(bytes))
    this.setModifiedAt(container, objectName, new Date())
  }

  /** When an object was put; undefined where there is none. */
  modifiedAt(container: string, objectName: string): Date | undefined {
    return this.get(container, objectName) && this.#modifiedAt.get(`${container}\0${objectName}`)
  }

  /** Makes an object as old as a test needs it. */
  setModifiedAt(container: string, objectName: string, time: Date): void {
    this.#modifiedAt.set(`${container}\0${objectName}`, time)
  }

  /** Removes an object. Returns whether there was one. */
  delete(container: string, objectName: string): boolean {
    return this.#containers.get(container)?.delete(objectName) ?? false
  }
}
