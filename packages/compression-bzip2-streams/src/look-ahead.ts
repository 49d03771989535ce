import { mostBlockBits } from './block-limits.js'
import type { CompressedInput } from './compressed-input.js'
import { cutShort, damaged } from './corrupt.js'
import type { Bzip2Engine } from './engine.js'
import { headerBytes, levelAt } from './header.js'
import type { Mark, MarkScanner } from './marks.js'
import type { OpenedBlock } from './opened-block.js'
import { openBlockInWorker } from './run-engine.js'
import { streamEnd } from './stream-end.js'

/** How many false marks are looked past within one block: the table of the bytes in use can be made to hold some. */
const mostFalseMarks = 8

/** Streams that hold nothing are marks without a block: of those, too, no more are read ahead than these. */
const marksABlock = 8

/** A block is that long at most, at any level. */
const longestBlockBits = mostBlockBits(9)

/** What becomes of a block. */
export type Opened = OpenedBlock | 'damaged'

/** What to open, and how far ahead. */
export interface LookAheadJob {
  readonly engine: Bzip2Engine
  readonly input: CompressedInput
  /** Gives the marks in order, among which there may be false ones. */
  readonly scanner: Pick<MarkScanner, 'next'>
  /** The level of the first stream. */
  readonly level: number
  /** How many blocks are under way at once, whose memory is all that is held. */
  readonly blocksAhead: number
}

/** Opens blocks that begin at a mark and end at the next, before it is known whether the marks are true. */
export class LookAhead {
  readonly #engine: Bzip2Engine
  readonly #input: CompressedInput
  readonly #scanner: Pick<MarkScanner, 'next'>
  readonly #blocksAhead: number
  readonly #marks: GuessedMark[] = []
  #guessedLevel: number
  /** The marks before this one that are blocks have been begun. */
  #started = 0
  #blocksUnderWay = 0

  constructor({ engine, input, scanner, level, blocksAhead }: LookAheadJob) {
    this.#engine = engine
    this.#input = input
    this.#scanner = scanner
    this.#guessedLevel = level
    this.#blocksAhead = blocksAhead
  }

  /** The mark at `bit`, where there is one; those before it are forgotten. */
  async markAt(bit: number): Promise<Mark | undefined> {
    for (;;) {
      const first = await this.#mark(0, bit)
      if (first === undefined || first.bit > bit) return undefined
      if (first.bit === bit) return first
      await this.#forget(1)
    }
  }

  /** Opens the block at the first mark, and forgets it. Throws `OBJECT_CORRUPT` where it does not open. */
  async openFirst(level: number): Promise<{ opened: OpenedBlock; endBit: number }> {
    await this.#fill()
    for (let falseMarks = 0; falseMarks <= mostFalseMarks; falseMarks++) {
      const first = await this.#mark(0)
      const next = await this.#mark(falseMarks + 1)
      if (first === undefined) throw cutShort()
      if (next === undefined) {
        if (this.#input.isAllRead) throw cutShort()
        break
      }
      const guess = first.level === level && falseMarks === 0 ? await first.opened : undefined
      first.opened = undefined
      const opened = guess ?? (await this.#open({ ...first, level }, next.bit))
      if (opened !== 'damaged') {
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

  /** The mark of that index; undefined where none comes before `endBit`: no further than a block is long. */
  async #mark(index: number, endBit?: number): Promise<GuessedMark | undefined> {
    while (this.#marks.length <= index) {
      const before = this.#marks.at(-1)?.bit ?? 0
      const mark = await this.#scanner.next(endBit ?? before + longestBlockBits)
      if (mark === undefined) return undefined
      if (mark.kind === 'end') {
        const header = await this.#input.read(streamEnd(mark.bit), headerBytes)
        this.#guessedLevel = levelAt(header, 0) ?? this.#guessedLevel
      }
      this.#marks.push({ ...mark, level: this.#guessedLevel, opened: undefined })
    }
    return this.#marks[index]
  }

  /** Begins as many blocks as there should be under way. */
  async #fill(): Promise<void> {
    const mostMarks = this.#blocksAhead * marksABlock
    while (this.#blocksUnderWay < this.#blocksAhead && this.#started < mostMarks) {
      const mark = await this.#mark(this.#started)
      const next = await this.#mark(this.#started + 1)
      if (mark === undefined || next === undefined) return
      this.#started++
      if (mark.kind === 'end') continue
      this.#blocksUnderWay++
      mark.opened = this.#open(mark, next.bit)
    }
  }

  #open({ bit, level }: GuessedMark, endBit: number): Promise<Opened> {
    if (endBit - bit > mostBlockBits(level)) return Promise.resolve('damaged')
    const parts = this.#input.parts(Math.floor(bit / 8), Math.ceil(endBit / 8))
    const block = { parts, startBit: bit % 8, lengthBits: endBit - bit, level }
    const opened = openBlockInWorker(this.#engine, block)
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
