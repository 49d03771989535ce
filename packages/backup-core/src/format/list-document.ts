import type { JsonValue } from '../contracts/records.js'
import type { BackupError } from '../errors/backup-error.js'
import { invalidJson, MAX_JSON_DEPTH, nestedTooDeep, parseJsonText, type JsonSubject } from './json.js'

/** Collects bytes of several pieces: each piece is overwritten by the next one. */
class GrowingBuffer {
  #memory = Buffer.allocUnsafe(1024)
  length = 0

  constructor(private readonly maxBytes: number) {}

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.length)
  }

  /** @returns false where there would be more than the maximum */
  add(piece: Buffer, start: number, end: number): boolean {
    const length = this.length + end - start
    if (length > this.maxBytes) return false
    if (length > this.#memory.length)
      this.#memory = Buffer.concat([this.bytes], Math.max(length, this.#memory.length * 2))
    piece.copy(this.#memory, this.length, start, end)
    this.length = length
    return true
  }
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

const MAX_PIECE_BYTES = 256 * 1024

/** Maximum of bytes beside the list, and of one item. */
const MAX_REST_BYTES = 8 * 1024 * 1024
const MAX_ITEM_BYTES = 4 * 1024 * 1024

/** Longer keys, and more keys, cannot be known ones. */
const MAX_KEY_LENGTH = 64
const MAX_KEYS = 1000

/** How to read a {@link ListDocument}. */
export interface ListDocumentOptions {
  /** The key of the document whose value is the list. */
  readonly listKey: string
  /** Called with each item, whose text lies between two offsets of `bytes`: valid during the call only. */
  readonly onItem: (bytes: Buffer, start: number, end: number) => void
  /**
   * Takes the item at `start` if it has the usual form and ends within `bytes`, which saves the search for its end.
   * Returns the offset of its end; 0 leaves the item to `onItem`. `bytes` has at most 256 KiB, and is another object
   * whenever its content is.
   */
  readonly tryFastPath?: (bytes: Buffer, start: number) => number
  readonly subject: JsonSubject
}

/** A JSON text without its list. */
export interface ListDocument {
  readonly value: JsonValue
  /** How often the document has the key of a list. */
  readonly lists: number
  /** Keys that the document has more than once. */
  readonly repeatedKeys: ReadonlySet<string>
}

/**
 * Reads a JSON object with one long list, in pieces of any size. The list's items are handed over one by one as they are
 * read; the rest is parsed at the end. So a text of gigabytes needs no more memory than its longest item, where
 * `JSON.parse` needs all of it in a string, which V8 limits to about 512 MiB. A piece is not retained.
 *
 * @throws BackupError of the subject's code for a text that is not valid JSON
 */
export async function readListDocument(
  pieces: AsyncIterable<Uint8Array>,
  options: ListDocumentOptions,
): Promise<ListDocument> {
  const reader = new ListDocumentReader(options)
  for await (const { buffer, byteOffset, byteLength } of pieces) {
    for (let at = 0; at < byteLength; at += MAX_PIECE_BYTES) {
      reader.write(Buffer.from(buffer, byteOffset + at, Math.min(MAX_PIECE_BYTES, byteLength - at)))
    }
  }
  return reader.end()
}

/** What the list allows next. */
type Expected = 'item' | 'item or end' | 'comma or end'

class ListDocumentReader {
  readonly #rest = new GrowingBuffer(MAX_REST_BYTES)
  readonly #item = new GrowingBuffer(MAX_ITEM_BYTES)
  readonly #keys = new Set<string>()
  readonly #repeatedKeys = new Set<string>()
  #lists = 0
  #bytesBefore = 0

  /** Nesting of open objects and arrays; within an item, counted from the list. */
  #depth = 0
  #inString = false
  #escaped = false

  /** Whether a list is open, and what it allows next. */
  #inList = false
  #expected: Expected = 'item or end'
  /** Whether an item is open, and whether it is a number or literal, which ends where another token begins. */
  #inItem = false
  #isBare = false

  /** The last string of the document itself, cut to {@link MAX_KEY_LENGTH}: a key where a colon follows. */
  #lastString = ''
  /** Whether the next value is that of the list's key. */
  #listNext = false

  constructor(private readonly options: ListDocumentOptions) {}

  write(piece: Buffer): void {
    let at = 0
    while (at < piece.length) at = this.#inList ? this.#scanList(piece, at) : this.#scanRest(piece, at)
    this.#bytesBefore += piece.length
  }

  end(): ListDocument {
    const isOpen = this.#depth > 0 || this.#inString || this.#inList
    if (isOpen || this.#rest.length === 0) throw this.#error('it ends too early', 0)
    const value = parseJsonText(this.#rest.bytes, this.options.subject, { maxBytes: MAX_REST_BYTES + 2 })
    return { value, lists: this.#lists, repeatedKeys: this.#repeatedKeys }
  }

  /** Copies the text outside of the list, up to the list's opening bracket. */
  #scanRest(piece: Buffer, start: number): number {
    let at = start
    for (; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0
      if (this.#inString) this.#scanString(byte)
      else if (byte === quote) {
        this.#inString = true
        this.#listNext = false
        this.#lastString = ''
      } else if (byte === openBrace || byte === openBracket) {
        if (this.#listNext && byte === openBracket) break
        this.#listNext = false
        this.#depth += 1
        if (this.#depth > MAX_JSON_DEPTH) throw nestedTooDeep(this.options.subject)
      } else if (byte === closeBrace || byte === closeBracket) this.#depth -= 1
      else if (byte === colon) this.#endKey()
      else if (byte > 0x20) this.#listNext = false
    }
    if (!this.#rest.add(piece, start, at))
      throw this.#error(`it is too long beside its list \`${this.options.listKey}\``, at)
    if (at === piece.length) return at
    this.#listNext = false
    this.#inList = true
    this.#expected = 'item or end'
    this.#lists += 1
    this.#rest.add(Buffer.from('[]'), 0, 2)
    return at + 1
  }

  #scanString(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === backslash) this.#escaped = true
    else if (byte === quote) {
      this.#inString = false
      return
    }
    if (this.#depth === 1 && this.#lastString.length < MAX_KEY_LENGTH)
      this.#lastString += String.fromCharCode(byte)
  }

  /** A colon follows the last string: it was a key. */
  #endKey(): void {
    if (this.#depth !== 1) return
    const key = this.#lastString
    if (this.#keys.has(key)) this.#repeatedKeys.add(key)
    else if (this.#keys.size < MAX_KEYS) this.#keys.add(key)
    this.#listNext = key === this.options.listKey
  }

  #scanList(piece: Buffer, start: number): number {
    if (this.#inItem) return this.#scanItem(piece, start)
    for (let at = start; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0
      if (byte <= 0x20) continue
      if (byte === closeBracket && this.#expected !== 'item') {
        this.#inList = false
        return at + 1
      }
      if (byte === comma && this.#expected === 'comma or end') {
        this.#expected = 'item'
        continue
      }
      const isValue = byte !== comma && byte !== colon && byte !== closeBracket && byte !== closeBrace
      if (!isValue || this.#expected === 'comma or end') throw this.#unexpected(byte, at)
      const end = this.options.tryFastPath?.(piece, at) ?? 0
      if (end > 0) {
        this.#expected = 'comma or end'
        at = end - 1
        continue
      }
      this.#inItem = true
      this.#isBare = byte !== quote && byte !== openBrace && byte !== openBracket
      return this.#scanItem(piece, at)
    }
    return piece.length
  }

  /** Scans an item up to its end, which may be in a later piece. State in local variables makes it three times as fast. */
  #scanItem(piece: Buffer, start: number): number {
    const { length } = piece
    let inString = this.#inString
    let escaped = this.#escaped
    let depth = this.#depth
    let end = -1
    let at = start
    for (; at < length && end < 0; at += 1) {
      const byte = piece[at] ?? 0
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) {
          inString = false
          if (depth === 1) end = at + 1
        }
      } else if (this.#isBare) {
        if (byte <= 0x20 || byte === comma || byte === closeBracket || byte === closeBrace) end = at
      } else if (byte === quote) inString = true
      else if (byte === openBrace || byte === openBracket) {
        depth += 1
        if (depth > MAX_JSON_DEPTH) throw nestedTooDeep(this.options.subject)
      } else if (byte === closeBrace || byte === closeBracket) {
        depth -= 1
        if (depth === 1) end = at + 1
      }
    }
    this.#inString = inString
    this.#escaped = escaped
    this.#depth = depth
    const isWhole = end >= 0 && this.#item.length === 0
    if (!isWhole && !this.#item.add(piece, start, end >= 0 ? end : at))
      throw this.#error(`it is too long in an item of \`${this.options.listKey}\``, at)
    if (end < 0) return at
    this.#inItem = false
    this.#expected = 'comma or end'
    if (isWhole) this.options.onItem(piece, start, end)
    else this.options.onItem(this.#item.bytes, 0, this.#item.length)
    this.#item.length = 0
    return end
  }

  #unexpected(byte: number, at: number): BackupError {
    const shown =
      byte > 0x20 && byte < 0x7f ? `\`${String.fromCharCode(byte)}\`` : `byte 0x${byte.toString(16)}`
    return this.#error(`unexpected ${shown} in \`${this.options.listKey}\``, at)
  }

  #error(problem: string, at: number): BackupError {
    return invalidJson(this.options.subject, `${problem} (at byte ${this.#bytesBefore + at})`)
  }
}
