const mostRemembered = 16

/** The frames of zeros, by how many they are: 1.6 KB for a chunk of 50 MiB. */
export class RememberedZeros {
  readonly #frames = new Map<number, Uint8Array>()

  /** A copy of its own, or undefined where that length was not met. */
  frame(lengthBytes: number): Uint8Array | undefined {
    return this.#frames.get(lengthBytes)?.slice()
  }

  remember(lengthBytes: number, frame: Uint8Array): void {
    if (this.#frames.size >= mostRemembered) this.#frames.clear()
    this.#frames.set(lengthBytes, frame.slice())
  }
}
