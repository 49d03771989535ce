// @ts-check

/** Takes the bytes that compressjs writes, and no more of them than there is room for. */
export class ByteOutput {
  /**
   * @param {Uint8Array} memory
   * @param {number} mostBytes
   */
  constructor(memory, mostBytes) {
    this.memory = memory
    this.mostBytes = mostBytes
    this.lengthBytes = 0
  }

  /** @param {number} byte */
  writeByte(byte) {
    if (this.lengthBytes === this.mostBytes) throw new OutputFull()
    this.memory[this.lengthBytes++] = byte
  }
}

/** Ends a job at the first byte too many. */
export class OutputFull extends Error {}
