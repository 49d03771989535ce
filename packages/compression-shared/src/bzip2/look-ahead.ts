import type { Mark, MarkScanner } from './block-scanner.js'
import type { CompressedInput } from './compressed-input.js'
import { openBlockInWorker } from './engine.js'
import type { Bzip2Engine } from './engine.js'
import { errors, headerBytes, levelAt, maxBlockBits, streamEnd } from './format.js'
import type { OpenedBlock } from './opened-block.js'

/** How many false marks are skipped within one block: its table of the bytes in use can be made to contain some. */
const maxFalseMarks = 8

/** Empty streams are marks without a block: no more of those are read ahead than this, for each block. */
const marksPerBlock = 8

/** The longest block of any level. */
const longestBlockBits = maxBlockBits(9)

type Opened = OpenedBlock | 'damaged'

interface LookAheadJob {
  readonly engine: Bzip2Engine
  readonly input: CompressedInput
  /** Finds the marks in order, some of which may be false. */
  readonly scanner: Pick<MarkScanner, 'next'>
  /** The level of the first stream. */
  readonly level: number
  /** How many blocks are decompressed ahead, whose memory is all that is held. */
  readonly blocksAhead: number
}

/** Decompresses blocks ahead, from each mark to the next, before it is known whether the marks are true. */
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

  /** Decompresses the block at the first mark, and forgets it. Throws `OBJECT_CORRUPT` where it is damaged. */
  async openFirst(level: number): Promise<{ opened: OpenedBlock; endBit: number }> {
    await this.#fill()
    for (let falseMarks = 0; falseMarks <= maxFalseMarks; falseMarks++) {
      const first = await this.#mark(0)
      const next = await this.#mark(falseMarks + 1)
      if (first === undefined) throw errors.cutShort()
      if (next === undefined) {
        if (this.#input.isAllRead) throw errors.cutShort()
        break
      }
      const guess = first.level === level && falseMarks === 0 ? await first.opened : undefined
      first.opened = undefined
      const opened = guess ?? (await this.#open({ ...first, level }, next.bit))
      if (opened !== 'damaged') {
        await this.#forget(falseMarks + 1)
        return { opened, endBit: next.bit }
      }
      if (next.bit - first.bit > maxBlockBits(level)) break
    }
    throw errors.damaged('a block is not valid, or its checksum is wrong')
  }

  /** Waits for every block that was begun. */
  async close(): Promise<void> {
    await this.#forget(this.#marks.length)
  }

  /** The mark of that index; undefined where none comes before `endBit`, by default within the longest block. */
  async #mark(index: number, endBit?: number): Promise<GuessedMark | undefined> {
    while (this.#marks.length <= index) {
      const before = this.#marks.at(-1)?.bit ?? 0
      const mark = await this.#scanner.next(endBit ?? before + longestBlockBits)
      if (mark === undefined) return undefined
      if (mark.kind === 'end') {
        const header = await this.#input.read(streamEnd(mark.bit), headerBytes)
        this.#guessedLevel = levelAt(header) ?? this.#guessedLevel
      }
      this.#marks.push({ ...mark, level: this.#guessedLevel, opened: undefined })
    }
    return this.#marks[index]
  }

  /** Begins as many blocks as there should be ahead. */
  async #fill(): Promise<void> {
    const maxMarks = this.#blocksAhead * marksPerBlock
    while (this.#blocksUnderWay < this.#blocksAhead && this.#started < maxMarks) {
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
    if (endBit - bit > maxBlockBits(level)) return Promise.resolve('damaged')
    const parts = this.#input.parts(Math.floor(bit / 8), Math.ceil(endBit / 8))
    const block = { parts, startBit: bit % 8, lengthBits: endBit - bit, level }
    const opened = openBlockInWorker(this.#engine, block)
    // A block that is never read must not end the program with an unhandled rejection.
    opened.catch(() => undefined)
    return opened
  }

  async #forget(count: number): Promise<void> {
    const forgotten = this.#marks.splice(0, count)
    const begun = forgotten.slice(0, this.#started).filter(({ kind }) => kind === 'block')
    this.#blocksUnderWay -= begun.length
    this.#started = Math.max(0, this.#started - count)
    for (const { opened } of forgotten) await opened?.catch(() => undefined)
  }
}

interface GuessedMark extends Mark {
  /** The level of the stream that the mark seems to be in. */
  readonly level: number
  opened: Promise<Opened> | undefined
}
