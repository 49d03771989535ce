/** A block that a worker opened. Its bytes lie in memory that the next job will use. */
export interface OpenedBlock {
  readonly lengthBytes: number
  /** Fills the beginning of `output` with the bytes that come next, and gives how many; 0 behind the last. */
  read(output: Uint8Array): number
  /** To be called once, when nothing more is to be read. */
  readonly free: () => void
}

/** A block whose bytes are there. */
export class PlainBlock implements OpenedBlock {
  readonly free: () => void
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array, free: () => void) {
    this.#bytes = bytes
    this.free = free
  }

  get lengthBytes(): number {
    return this.#bytes.length
  }

  read(output: Uint8Array): number {
    const bytes = this.#bytes.subarray(this.#at, this.#at + output.length)
    output.set(bytes)
    this.#at += bytes.length
    return bytes.length
  }
}

/** Of a run, four bytes are there; how many more there are is the byte behind them. */
const equalBytesOfRun = 4

/** A block whose runs of equal bytes are yet to be expanded. */
export class BlockOfRuns implements OpenedBlock {
  readonly lengthBytes: number
  readonly free: () => void
  readonly #runs: Uint8Array
  #at = 0
  #previous = -1
  #equalBytes = 0
  /** How many bytes of a run are still to come. */
  #owedBytes = 0

  constructor(runs: Uint8Array, lengthBytes: number, free: () => void) {
    this.#runs = runs
    this.lengthBytes = lengthBytes
    this.free = free
  }

  read(output: Uint8Array): number {
    let filledBytes = 0
    while (filledBytes < output.length) {
      if (this.#owedBytes > 0) {
        const given = Math.min(this.#owedBytes, output.length - filledBytes)
        output.fill(this.#previous, filledBytes, filledBytes + given)
        filledBytes += given
        this.#owedBytes -= given
        continue
      }
      const symbol = this.#runs[this.#at]
      if (symbol === undefined) break
      this.#at++
      if (this.#equalBytes === equalBytesOfRun) {
        this.#owedBytes = symbol
        this.#equalBytes = 0
        continue
      }
      // Behind a run's count a new run begins, though its byte be the same.
      this.#equalBytes = symbol === this.#previous && this.#equalBytes > 0 ? this.#equalBytes + 1 : 1
      this.#previous = symbol
      output[filledBytes++] = symbol
    }
    return filledBytes
  }
}
