import { coreCount } from '@stowage/compression-workers'
import { mostBlockBits, mostOpenedBytes } from './block-limits.js'
import { openBlockInWorker } from './bz2-worker.js'
import type { Lent } from './bz2-worker.js'
import { cutShort, damaged } from './corrupt.js'
import { firstLevel, levelAt } from './header.js'
import { usualBytes } from './piece-memory.js'
import { streamEnd } from './stream-end.js'
import type { Mark } from './marks.js'

/** How many blocks are under way: one for each core, and more that wait for the one before them to be copied. */
const blocksAhead = coreCount + 2

/** How many false marks are looked past within one block: the table of the bytes in use can be made to hold some. */
const mostFalseMarks = 8

/** What becomes of a block. */
export type Opened = Lent | 'damaged' | 'too long'

/** Opens blocks that begin at a mark and end at the next, before it is known whether the marks are true. */
export class LookAhead {
  readonly #bytes: Uint8Array
  readonly #nextMark: () => Promise<Mark | undefined>
  readonly #marks: GuessedMark[] = []
  #guessedLevel: number
  /** The marks before this one that are blocks have been begun. */
  #started = 0
  #blocksUnderWay = 0
  #allRead = false
  /** How many bytes may still come out. */
  #remainingBytes: number

  /** `nextMark` gives the marks in order, among which there may be false ones. */
  constructor(bytes: Uint8Array, expectedLengthBytes: number, nextMark: () => Promise<Mark | undefined>) {
    this.#bytes = bytes
    this.#nextMark = nextMark
    this.#remainingBytes = expectedLengthBytes
    this.#guessedLevel = firstLevel(bytes)
  }

  /** The mark at `bit`, where there is one; those before it are forgotten. */
  async markAt(bit: number): Promise<Mark | undefined> {
    for (;;) {
      const first = await this.#mark(0)
      if (first === undefined || first.bit > bit) return undefined
      if (first.bit === bit) return first
      await this.#forget(1)
    }
  }

  /** Opens the block at the first mark, and forgets it. Throws `OBJECT_CORRUPT` where it does not open. */
  async openFirst(level: number): Promise<{ opened: Lent | 'too long'; endBit: number }> {
    await this.#fill()
    for (let falseMarks = 0; falseMarks <= mostFalseMarks; falseMarks++) {
      const first = await this.#mark(0)
      const next = await this.#mark(falseMarks + 1)
      if (first === undefined || next === undefined) throw cutShort()
      const guess = first.level === level && falseMarks === 0 ? await first.opened : undefined
      first.opened = undefined
      const opened =
        guess === undefined || guess === 'too long'
          ? await this.#open({ ...first, level }, next.bit, this.#remainingBytes)
          : guess
      if (opened !== 'damaged') {
        if (opened !== 'too long') this.#remainingBytes -= opened.bytes.length
        await this.#forget(falseMarks + 1)
        return { opened, endBit: next.bit }
      }
      if (next.bit - first.bit > mostBlockBits(level)) break
    }
    throw damaged('a block does not open, or its checksum is wrong')
  }

  /** Waits for every block under way, and gives its memory back. */
  async close(): Promise<void> {
    await this.#forget(this.#marks.length)
  }

  async #mark(index: number): Promise<GuessedMark | undefined> {
    while (this.#marks.length <= index && !this.#allRead) {
      const mark = await this.#nextMark()
      if (mark === undefined) {
        this.#allRead = true
        break
      }
      if (mark.kind === 'end') {
        this.#guessedLevel = levelAt(this.#bytes, streamEnd(mark.bit)) ?? this.#guessedLevel
      }
      this.#marks.push({ ...mark, level: this.#guessedLevel, opened: undefined })
    }
    return this.#marks[index]
  }

  /** Begins as many blocks as there should be under way. */
  async #fill(): Promise<void> {
    while (this.#blocksUnderWay < blocksAhead) {
      const mark = await this.#mark(this.#started)
      const next = await this.#mark(this.#started + 1)
      if (mark === undefined || next === undefined) return
      this.#started++
      if (mark.kind === 'end') continue
      this.#blocksUnderWay++
      // Blocks that open to more are rare, and wait until it is certain that they are wanted.
      mark.opened = this.#open(mark, next.bit, Math.min(this.#remainingBytes, usualBytes))
    }
  }

  #open({ bit, level }: GuessedMark, endBit: number, roomBytes: number): Promise<Opened> {
    if (endBit - bit > mostBlockBits(level)) return Promise.resolve('damaged')
    const mostBytes = Math.min(roomBytes, mostOpenedBytes(level))
    const opened = openBlockInWorker(this.#bytes, { startBit: bit, endBit, level }, mostBytes)
    // Whoever waits for it hears of the failure; a block that nobody asks for must not end the program.
    opened.catch(() => undefined)
    return opened
  }

  async #forget(count: number): Promise<void> {
    const forgotten = this.#marks.splice(0, count)
    const begun = forgotten.slice(0, this.#started).filter(({ kind }) => kind === 'block')
    this.#blocksUnderWay -= begun.length
    this.#started = Math.max(0, this.#started - count)
    for (const { opened } of forgotten) {
      const result = await opened?.catch(() => undefined)
      if (typeof result === 'object') result.free()
    }
  }
}

interface GuessedMark extends Mark {
  /** The level of the stream that the mark seems to be in. */
  readonly level: number
  opened: Promise<Opened> | undefined
}
