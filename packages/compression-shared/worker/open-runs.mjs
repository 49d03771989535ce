// @ts-check
/**
 * Decompresses a bzip2 block as far as its runs. libbzip2 always expands them, to 46 MB where a block is all zeros. Here a
 * byte that comes four times or more stays five bytes, so that no block takes more than 900 kB. The checksum is that of
 * the expanded bytes.
 *
 * Plain JavaScript, since it runs in a worker, from the sources as well as bundled into a published package.
 */

const blockMagicBits = 48
const symbolsPerLevel = 100_000
const symbolsPerGroup = 50
const equalBytesOfRun = 4

/** No run of equal symbols is longer: what is beyond is damage, and must not overflow. */
const maxRunWeight = 1 << 21

const polynomial = 0x04c11db7

const checksumOfByte = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 24
  for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest < 0 ? polynomial : 0)
  return rest
})

/**
 * The job that decompresses a block as far as its runs, which take its place in the memory. The block begins at a bit of
 * the memory's first byte. Returns `randomised` for a block of the years before 1999.
 * @param {{ memory: Uint8Array, startBit: number, lengthBits: number, level: number }} job
 * @returns {{ runsBytes: number, openedBytes: number } | 'randomised' | 'damaged'}
 */
export function openRuns({ memory, startBit, lengthBits, level }) {
  const bits = new BitReader(memory, startBit + blockMagicBits)
  const checksum = (bits.read(16) << 16) | bits.read(16)
  if (bits.read(1) === 1) return 'randomised'
  const origin = bits.read(24)
  const links = new Uint32Array(level * symbolsPerLevel)
  const counts = new Uint32Array(256)
  const length = readSymbols(bits, links, counts)
  if (length === undefined || origin >= length) return 'damaged'
  if (bits.position !== startBit + lengthBits) return 'damaged'
  unsort(links, length, counts, origin, memory)
  return check(memory.subarray(0, length), checksum)
}

/**
 * Reads the sorted bytes and counts them. Gives how many there are, or undefined where the block is damaged.
 * @param {BitReader} bits
 * @param {Uint32Array} sorted
 * @param {Uint32Array} counts
 */
function readSymbols(bits, sorted, counts) {
  const bytesInUse = readBytesInUse(bits)
  const symbolCount = bytesInUse.length + 2
  const tableCount = bits.read(3)
  const selectorCount = bits.read(15)
  if (bytesInUse.length === 0 || tableCount < 2 || tableCount > 6 || selectorCount === 0) return undefined
  const selectors = readSelectors(bits, tableCount, selectorCount)
  if (selectors === undefined) return undefined
  /** @type {HuffmanTable[]} */
  const tables = []
  for (let index = 0; index < tableCount; index++) {
    const table = HuffmanTable.read(bits, symbolCount)
    if (table === undefined) return undefined
    tables.push(table)
  }

  const recent = Uint8Array.from(bytesInUse)
  let length = 0
  let runLength = 0
  let runWeight = 1
  for (const selector of selectors) {
    const table = /** @type {HuffmanTable} */ (tables[selector])
    for (let index = 0; index < symbolsPerGroup; index++) {
      const symbol = table.next(bits)
      if (symbol < 0) return undefined
      if (symbol < 2) {
        if (runWeight > maxRunWeight) return undefined
        runLength += runWeight << symbol
        runWeight <<= 1
        continue
      }
      if (runLength > 0) {
        if (runLength > sorted.length - length) return undefined
        const byte = recent[0] ?? 0
        sorted.fill(byte, length, length + runLength)
        counts[byte] = (counts[byte] ?? 0) + runLength
        length += runLength
        runLength = 0
        runWeight = 1
      }
      if (symbol === symbolCount - 1) return length
      if (length === sorted.length) return undefined
      const byte = recent[symbol - 1] ?? 0
      recent.copyWithin(1, 0, symbol - 1)
      recent[0] = byte
      sorted[length++] = byte
      counts[byte] = (counts[byte] ?? 0) + 1
    }
  }
  return undefined
}

/** @param {BitReader} bits */
function readBytesInUse(bits) {
  const groups = bits.read(16)
  /** @type {number[]} */
  const bytes = []
  for (let group = 0; group < 16; group++) {
    if (((groups >>> (15 - group)) & 1) === 0) continue
    const places = bits.read(16)
    for (let place = 0; place < 16; place++) {
      if (((places >>> (15 - place)) & 1) === 1) bytes.push(group * 16 + place)
    }
  }
  return bytes
}

/**
 * Which table each group of symbols is written with.
 * @param {BitReader} bits
 * @param {number} tableCount
 * @param {number} selectorCount
 */
function readSelectors(bits, tableCount, selectorCount) {
  const recent = Array.from({ length: tableCount }, (_, table) => table)
  const selectors = new Uint8Array(selectorCount)
  for (let index = 0; index < selectorCount; index++) {
    let place = 0
    while (bits.read(1) === 1) if (++place >= tableCount) return undefined
    const [table = 0] = recent.splice(place, 1)
    recent.unshift(table)
    selectors[index] = table
  }
  return selectors
}

/**
 * Undoes the sorting (Burrows and Wheeler): each byte is linked to the one that follows it.
 * @param {Uint32Array} sorted Bytes, which become links.
 * @param {number} length
 * @param {Uint32Array} counts
 * @param {number} origin
 * @param {Uint8Array} output
 */
function unsort(sorted, length, counts, origin, output) {
  const places = new Uint32Array(256)
  for (let byte = 1; byte < 256; byte++) {
    places[byte] = (places[byte - 1] ?? 0) + (counts[byte - 1] ?? 0)
  }
  for (let index = 0; index < length; index++) {
    const byte = /** @type {number} */ (sorted[index]) & 0xff
    const place = places[byte] ?? 0
    places[byte] = place + 1
    sorted[place] = /** @type {number} */ (sorted[place]) | (index << 8)
  }
  let at = /** @type {number} */ (sorted[origin]) >>> 8
  for (let index = 0; index < length; index++) {
    const link = /** @type {number} */ (sorted[at])
    output[index] = link & 0xff
    at = link >>> 8
  }
}

/**
 * @param {Uint8Array} runs
 * @param {number} checksum
 * @returns {{ runsBytes: number, openedBytes: number } | 'damaged'}
 */
function check(runs, checksum) {
  let actual = -1
  let openedBytes = 0
  let previous = -1
  let equalBytes = 0
  for (let index = 0; index < runs.length; index++) {
    const symbol = /** @type {number} */ (runs[index])
    const isCount = equalBytes === equalBytesOfRun
    const byte = isCount ? previous : symbol
    const times = isCount ? symbol : 1
    for (let time = 0; time < times; time++) {
      actual = (actual << 8) ^ /** @type {number} */ (checksumOfByte[(actual >>> 24) ^ byte])
    }
    openedBytes += times
    equalBytes = isCount ? 0 : symbol === previous ? equalBytes + 1 : 1
    previous = isCount ? -1 : symbol
  }
  // libbzip2, too, wants the count of a run that ends the block.
  if (equalBytes === equalBytesOfRun || ~actual !== checksum) return 'damaged'
  return { runsBytes: runs.length, openedBytes }
}

/** Reads bits, most significant first; zeros behind the end. */
class BitReader {
  #bytes
  #at
  #held = 0
  #heldBits = 0

  /**
   * @param {Uint8Array} bytes
   * @param {number} bit Where to begin.
   */
  constructor(bytes, bit) {
    this.#bytes = bytes
    this.#at = Math.floor(bit / 8)
    this.read(bit % 8)
  }

  /** The place of the bit that is read next. */
  get position() {
    return this.#at * 8 - this.#heldBits
  }

  /** @param {number} count 24 at most. */
  read(count) {
    while (this.#heldBits < count) {
      this.#held = (this.#held << 8) | (this.#bytes[this.#at] ?? 0)
      this.#at++
      this.#heldBits += 8
    }
    this.#heldBits -= count
    return (this.#held >>> this.#heldBits) & ((1 << count) - 1)
  }
}

/** No code is longer: libbzip2 refuses one that is. */
const maxCodeBits = 20

/** One of a block's tables: symbols by their codes, of which those of a length follow each other. */
class HuffmanTable {
  #leastBits
  #symbols
  /** The last code of each length. */
  #lastCodes = new Int32Array(maxCodeBits + 1)
  /** What to take from a code of each length to have its symbol's place. */
  #offsets = new Int32Array(maxCodeBits + 1)

  /** @param {Uint8Array} lengths How many bits the code of each symbol has. */
  constructor(lengths) {
    const counts = new Uint32Array(maxCodeBits + 1)
    for (const bits of lengths) counts[bits] = (counts[bits] ?? 0) + 1
    this.#leastBits = counts.findIndex((count) => count > 0)
    this.#symbols = Uint16Array.from(lengths.keys()).sort(
      (a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b,
    )
    let code = 0
    let place = 0
    for (let bits = 1; bits <= maxCodeBits; bits++) {
      const count = counts[bits] ?? 0
      code <<= 1
      this.#offsets[bits] = code - place
      code += count
      place += count
      this.#lastCodes[bits] = code - 1
    }
  }

  /**
   * Reads the lengths of the codes, each of which is written as its difference to the one before. Undefined where there
   * is one that cannot be.
   * @param {BitReader} bits
   * @param {number} symbolCount
   */
  static read(bits, symbolCount) {
    const lengths = new Uint8Array(symbolCount)
    let length = bits.read(5)
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      for (;;) {
        if (length < 1 || length > maxCodeBits) return undefined
        if (bits.read(1) === 0) break
        length += bits.read(1) === 0 ? 1 : -1
      }
      lengths[symbol] = length
    }
    return new HuffmanTable(lengths)
  }

  /**
   * The next symbol, or -1 where the bits are no code.
   * @param {BitReader} bits
   */
  next(bits) {
    let length = this.#leastBits
    let code = bits.read(length)
    while (code > /** @type {number} */ (this.#lastCodes[length])) {
      if (++length > maxCodeBits) return -1
      code = (code << 1) | bits.read(1)
    }
    return this.#symbols[code - /** @type {number} */ (this.#offsets[length])] ?? -1
  }
}
