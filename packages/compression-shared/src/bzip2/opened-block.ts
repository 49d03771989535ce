/** A decompressed block. */
export interface OpenedBlock {
  readonly lengthBytes: number
  /** Where it lies, which may be used again when all of it has been read. */
  readonly memory: Uint8Array
  /** Fills the beginning of `output` with the next bytes, and returns how many; 0 after the last. */
  read(output: Uint8Array): number
}

/** A block whose bytes are in memory. */
export class PlainBlock implements OpenedBlock {
  readonly memory: Uint8Array
  readonly lengthBytes: number
  #at = 0

  constructor(memory: Uint8Array, lengthBytes: number) {
    this.memory = memory
    this.lengthBytes = lengthBytes
  }

  read(output: Uint8Array): number {
    const bytes = this.memory.subarray(this.#at, Math.min(this.#at + output.length, this.lengthBytes))
    output.set(bytes)
    this.#at += bytes.length
    return bytes.length
  }
}

/** A run is stored as four of its bytes, and a fifth that counts the others. */
const equalBytesOfRun = 4

/** A block whose runs of equal bytes are expanded when it is read. */
export class BlockOfRuns implements OpenedBlock {
  readonly memory: Uint8Array
  readonly lengthBytes: number
  readonly #runs: Uint8Array
  #at = 0
  #previous = -1
  #equalBytes = 0
  /** How many bytes of a run are not returned yet. */
  #pendingBytes = 0

  constructor(memory: Uint8Array, runsBytes: number, lengthBytes: number) {
    this.memory = memory
    this.#runs = memory.subarray(0, runsBytes)
    this.lengthBytes = lengthBytes
  }

  read(output: Uint8Array): number {
    let filledBytes = 0
    while (filledBytes < output.length) {
      if (this.#pendingBytes > 0) {
        const added = Math.min(this.#pendingBytes, output.length - filledBytes)
        output.fill(this.#previous, filledBytes, filledBytes + added)
        filledBytes += added
        this.#pendingBytes -= added
        continue
      }
      const symbol = this.#runs[this.#at]
      if (symbol === undefined) break
      this.#at++
      if (this.#equalBytes === equalBytesOfRun) {
        this.#pendingBytes = symbol
        this.#equalBytes = 0
        continue
      }
      // After a run's count a new run begins, even where its byte is the same.
      this.#equalBytes = symbol === this.#previous && this.#equalBytes > 0 ? this.#equalBytes + 1 : 1
      this.#previous = symbol
      output[filledBytes++] = symbol
    }
    return filledBytes
  }
}
