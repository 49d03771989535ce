import { existsSync } from 'node:fs'
import { copyFile, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Noise } from './noise.mjs'
import { RealFiles } from './real-files.mjs'
import { formatSize } from './sizes.mjs'
import { TextLike } from './text-like.mjs'

const pieceBytes = 1024 * 1024
/** The size of a scattered write. */
const writeBytes = 4096

/**
 * A disk image to back up.
 *
 * @typedef {object} Volume
 * @property {string} name
 * @property {string} path
 * @property {number} sizeBytes
 * @property {string} what for people
 */

/** Makes the volumes of a run in a directory, each when it is first asked for, the same for the same seed. */
export class Volumes {
  /**
   * @param {string} directory
   * @param {{ seed: string, sizeBytes: number, say: (line: string) => void }} options
   */
  constructor(directory, { seed, sizeBytes, say }) {
    this.directory = directory
    this.seed = seed
    this.sizeBytes = sizeBytes
    this.say = say
  }

  /** 40 % real files, 30 % noise and 30 % zeros, in pieces of 1 MiB in an order that the seed decides. */
  mixed(sizeBytes = this.sizeBytes) {
    return this.#make(
      'mixed',
      sizeBytes,
      '40 % real files, 30 % random, 30 % zeros',
      async (noise, write) => {
        const count = Math.ceil(sizeBytes / pieceBytes)
        const kinds = Array.from({ length: count }, (_, index) => ((index + 0.5) / count) * 10)
        const files = new RealFiles(noise)
        for (const kind of noise.shuffled(kinds)) {
          if (kind < 4) await write(files.bytes(pieceBytes))
          else if (kind < 7) await write(noise.bytes(pieceBytes))
          else await write(Buffer.alloc(pieceBytes))
        }
      },
    )
  }

  /** What logs and prose look like. */
  text() {
    return this.#make('text', this.sizeBytes, 'text-like', async (noise, write) => {
      const text = new TextLike(noise)
      for (let at = 0; at < this.sizeBytes; at += pieceBytes) await write(text.bytes(pieceBytes))
    })
  }

  /** What an encrypted disk looks like. */
  random() {
    return this.#make('random', this.sizeBytes, 'random', async (noise, write) => {
      for (let at = 0; at < this.sizeBytes; at += pieceBytes) await write(noise.bytes(pieceBytes))
    })
  }

  /** Zeros that were written, so that the file has no holes. */
  zeros() {
    return this.#make('zeros', this.sizeBytes, 'zeros, no holes', async (_noise, write) => {
      for (let at = 0; at < this.sizeBytes; at += pieceBytes) await write(Buffer.alloc(pieceBytes))
    })
  }

  /**
   * A large file of holes with data in pieces of 1 MiB: half real files, half noise.
   *
   * @param {number} sizeBytes
   * @param {number} dataBytes
   */
  sparse(sizeBytes, dataBytes) {
    const what = `sparse, ${formatSize(dataBytes)} of data`
    return this.#make(`sparse-${dataBytes}`, sizeBytes, what, async (noise, _write, handle) => {
      await handle.truncate(sizeBytes)
      const files = new RealFiles(noise)
      const places = noise.places(Math.ceil(dataBytes / pieceBytes), Math.floor(sizeBytes / pieceBytes))
      for (const [index, place] of places.entries()) {
        const piece = index % 2 === 0 ? files.bytes(pieceBytes) : noise.bytes(pieceBytes)
        await handle.write(piece, 0, pieceBytes, place * pieceBytes)
      }
    })
  }

  /**
   * A copy of `base` with writes of 4 KiB scattered over `share` of it.
   *
   * @param {Volume} base
   * @param {number} share
   */
  async scattered(base, share, name = 'scattered') {
    const path = join(this.directory, `${base.name}-${name}-${base.sizeBytes}`)
    const volume = {
      name: `${base.name}-${name}`,
      path,
      sizeBytes: base.sizeBytes,
      what: `${share * 100} % written`,
    }
    if (existsSync(path)) return volume
    await copyFile(base.path, `${path}.new`)
    await this.scatter(`${path}.new`, base.sizeBytes, share, name)
    await rename(`${path}.new`, path)
    return volume
  }

  /**
   * Writes noise into places of 4 KiB that the label and the seed decide.
   *
   * @param {string} path
   * @param {number} sizeBytes
   * @param {number} share how much of the file is written
   * @param {string} label
   */
  async scatter(path, sizeBytes, share, label) {
    const noise = new Noise(`${this.seed}/${label}`)
    const slots = Math.floor(sizeBytes / writeBytes)
    const places = noise.places(Math.max(1, Math.round(slots * share)), slots)
    const handle = await open(path, 'r+')
    try {
      for (const place of places) {
        await handle.write(noise.bytes(writeBytes), 0, writeBytes, place * writeBytes)
      }
    } finally {
      await handle.close()
    }
  }

  /**
   * @param {string} name
   * @param {number} sizeBytes
   * @param {string} what
   * @param {(noise: Noise, write: (piece: Buffer) => Promise<void>, handle: import('node:fs/promises').FileHandle) => Promise<void>} fill
   * @returns {Promise<Volume>}
   */
  async #make(name, sizeBytes, what, fill) {
    const path = join(this.directory, `${name}-${sizeBytes}`)
    const volume = { name, path, sizeBytes, what }
    const note = JSON.stringify({ seed: this.seed, name, sizeBytes })
    // A directory that is kept from run to run has them already, if the same was asked for then.
    if (existsSync(path) && (await readFile(`${path}.json`, 'utf8').catch(() => '')) === note) return volume
    this.say(`making the volume "${name}" of ${formatSize(sizeBytes)}`)
    const handle = await open(path, 'w')
    try {
      let at = 0
      await fill(
        new Noise(`${this.seed}/${name}`),
        async (piece) => {
          const lengthBytes = Math.min(piece.length, sizeBytes - at)
          await handle.write(piece, 0, lengthBytes, at)
          at += lengthBytes
        },
        handle,
      )
    } finally {
      await handle.close()
    }
    await writeFile(`${path}.json`, note)
    return volume
  }
}
