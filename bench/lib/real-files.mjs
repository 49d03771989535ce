import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What a system's disk is full of: programs, libraries, texts, tables. */
const roots = ['/usr/lib', '/usr/share']
const leastBytes = 4 * 1024
const mostBytes = 8 * 1024 * 1024

/**
 * Files of this machine, in the order of their names, so that two runs on one machine get the same.
 *
 * @param {string} directory
 * @returns {Generator<string>}
 */
function* walk(directory) {
  /** @type {import('node:fs').Dirent[]} */
  let entries
  try {
    entries = readdirSync(directory, { withFileTypes: true })
  } catch {
    return // Not ours to read.
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
  }
}

/**
 * Gives the contents of real files end to end, a piece at a time. Where this machine has not enough of them it begins
 * again.
 */
export class RealFiles {
  #paths
  #next = 0
  #rest = Buffer.alloc(0)

  /** @param {import('./noise.mjs').Noise} noise */
  constructor(noise) {
    this.#paths = noise.shuffled(roots.flatMap((root) => [...walk(root)]))
  }

  /** @param {number} lengthBytes */
  bytes(lengthBytes) {
    const piece = Buffer.alloc(lengthBytes)
    let filled = 0
    let unreadable = 0
    while (filled < lengthBytes) {
      if (this.#rest.length === 0) this.#rest = this.#open()
      unreadable = this.#rest.length === 0 ? unreadable + 1 : 0
      if (unreadable > this.#paths.length) {
        throw new Error(`There are no files to be read below ${roots.join(' and ')}.`)
      }
      const copied = this.#rest.copy(piece, filled)
      this.#rest = this.#rest.subarray(copied)
      filled += copied
    }
    return piece
  }

  #open() {
    const path = this.#paths[this.#next % this.#paths.length]
    this.#next += 1
    if (path === undefined) return Buffer.alloc(0)
    try {
      const { size } = statSync(path)
      return size < leastBytes || size > mostBytes ? Buffer.alloc(0) : readFileSync(path)
    } catch {
      return Buffer.alloc(0)
    }
  }
}
