// @ts-check
/**
 * Opens a block as far as its runs: libbzip2 expands them at once, to 46 MB where a block is all zeros, and no less can
 * be had of it. Here a byte that comes four times or more stays five bytes, so that no block takes more than 900 kB.
 * The checksum is that of the expanded bytes all the same.
 */
import { BitReader } from './bit-reader.mjs'
import { HuffmanTable } from './huffman-table.mjs'

const blockMagicBits = 48
const symbolsALevel = 100_000
const symbolsAGroup = 50
const equalBytesOfRun = 4

/** No run of equal symbols is longer: what is beyond is damage, and must not overflow. */
const mostRunWeight = 1 << 21

const polynomial = 0x04c11db7

const checksumOfByte = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 24
  for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest < 0 ? polynomial : 0)
  return rest
})

/** Kept for the next block: 3.6 MB. @type {Uint32Array | undefined} */
let links

/**
 * Opens the block into `output`, which may be the memory that it lies in. Undefined where it is damaged, or its
 * checksum is wrong; `randomised` where it is of the years before 1999.
 * @param {Uint8Array} output
 * @param {Uint8Array} bytes
 * @param {number} startBit Which bit of the first byte the block begins with.
 * @param {number} lengthBits
 * @param {number} level
 * @returns {{ runsBytes: number, openedBytes: number } | 'randomised' | undefined}
 */
export function openRuns(output, bytes, startBit, lengthBits, level) {
  const bits = new BitReader(bytes, startBit + blockMagicBits)
  const checksum = (bits.read(16) << 16) | bits.read(16)
  if (bits.read(1) === 1) return 'randomised'
  const origin = bits.read(24)
  links ??= new Uint32Array(9 * symbolsALevel)
  const counts = new Uint32Array(256)
  const length = readSymbols(bits, links.subarray(0, level * symbolsALevel), counts)
  if (length === undefined || origin >= length) return undefined
  if (bits.position !== startBit + lengthBits) return undefined
  unsort(links, length, counts, origin, output)
  return check(output.subarray(0, length), checksum)
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
    for (let index = 0; index < symbolsAGroup; index++) {
      const symbol = table.next(bits)
      if (symbol < 0) return undefined
      if (symbol < 2) {
        if (runWeight > mostRunWeight) return undefined
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
  if (equalBytes === equalBytesOfRun || ~actual !== checksum) return undefined
  return { runsBytes: runs.length, openedBytes }
}
