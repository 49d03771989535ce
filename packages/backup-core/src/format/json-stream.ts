import type { BackupError } from '../errors/backup-error.js'
import {
  backslash,
  bareBytes,
  closeBrace,
  closeBracket,
  colon,
  comma,
  letterByte,
  numberByte,
  openBrace,
  openBracket,
  plainByte,
  quote,
  spaceByte,
  textBytes,
} from './json-bytes.js'
import type { JsonHandler } from './json-handler.js'
import { isJsonNumber } from './json-number.js'
import { invalidJson, type JsonSubject } from './json-subject.js'
import { JsonText } from './json-text.js'
import { SpillBuffer } from './spill-buffer.js'

/** How much a text may ask for. */
export interface JsonLimits {
  /** Objects and arrays inside each other. @default 64 */
  readonly maxDepth?: number
  /** Bytes of one string, as written. @default 4 MiB */
  readonly maxStringBytes?: number
  /** Bytes of the text. @default no limit */
  readonly maxBytes?: number
}

const maxNumberBytes = 512
const maxLiteralBytes = 8

/** What may come next. */
const enum Expect {
  Value,
  ValueOrEnd,
  KeyOrEnd,
  Key,
  Colon,
  CommaOrEnd,
  Nothing,
}

/** The token that the last piece broke off in. */
const enum Pending {
  None,
  String,
  /** A string, and its last byte was a backslash. */
  Escape,
  /** A number or a word: which of them shows when it is whole. */
  Bare,
}

/**
 * Reads JSON as it comes, in pieces of any size, and tells a {@link JsonHandler} what it holds. Strict: UTF-8 alone, no
 * byte order mark, nothing after the value. A text of gigabytes needs no more memory than its longest string, where
 * `JSON.parse` needs it whole in a string, which V8 caps at about 512 MiB.
 *
 * A piece is not kept after {@link write} returns.
 */
export class JsonStream {
  readonly #handler: JsonHandler
  readonly #subject: JsonSubject
  readonly #maxDepth: number
  readonly #maxStringBytes: number
  readonly #maxBytes: number

  /** For each open container, 1 when it is an object. */
  readonly #stack: Uint8Array
  #depth = 0
  #expect: Expect = Expect.Value
  #pending: Pending = Pending.None
  /** Whether the string at hand has escapes or bytes beyond ASCII. */
  #encoded = false
  readonly #spill = new SpillBuffer()
  readonly #text = new JsonText()
  #bytesBefore = 0

  constructor(handler: JsonHandler, subject: JsonSubject, limits: JsonLimits = {}) {
    this.#handler = handler
    this.#subject = subject
    this.#maxDepth = limits.maxDepth ?? 64
    this.#maxStringBytes = limits.maxStringBytes ?? 4 * 1024 * 1024
    this.#maxBytes = limits.maxBytes ?? Infinity
    this.#stack = new Uint8Array(this.#maxDepth)
  }

  /** Reads the next piece. */
  write(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const length = piece.length
    if (this.#bytesBefore + length > this.#maxBytes) {
      throw this.#error(`it is longer than ${this.#maxBytes} bytes`, 0)
    }
    let at = this.#pending === Pending.None ? 0 : this.#resume(piece)
    while (at < length) {
      const byte = piece[at] ?? 0
      if (bareBytes[byte] === spaceByte) at++
      else if (byte === quote) at = this.#beginString(piece, at)
      else if (byte === comma) at = this.#comma(at)
      else at = this.#other(piece, byte, at)
    }
    this.#bytesBefore += length
  }

  /** Says that the last piece has come. */
  end(): void {
    if (this.#pending === Pending.Bare) this.#endBare(this.#spill.bytes, 0, this.#spill.length, 0)
    if (this.#pending !== Pending.None || this.#expect !== Expect.Nothing) {
      throw this.#error('it ends too early', 0)
    }
  }

  #other(piece: Buffer, byte: number, at: number): number {
    const kind = bareBytes[byte]
    if (kind === numberByte || kind === letterByte) {
      this.#expectValue(byte, at)
      return this.#scanBare(piece, at)
    }
    if (byte === colon && this.#expect === Expect.Colon) this.#expect = Expect.Value
    else if (byte === openBrace) this.#begin(1, byte, at)
    else if (byte === openBracket) this.#begin(0, byte, at)
    else if (byte === closeBrace) this.#close(1, Expect.KeyOrEnd, byte, at)
    else if (byte === closeBracket) this.#close(0, Expect.ValueOrEnd, byte, at)
    else throw this.#unexpected(byte, at)
    return at + 1
  }

  #expectValue(byte: number, at: number): void {
    if (this.#expect !== Expect.Value && this.#expect !== Expect.ValueOrEnd) throw this.#unexpected(byte, at)
  }

  #comma(at: number): number {
    if (this.#expect !== Expect.CommaOrEnd) throw this.#unexpected(comma, at)
    this.#expect = this.#stack[this.#depth - 1] === 1 ? Expect.Key : Expect.Value
    return at + 1
  }

  #begin(object: 0 | 1, byte: number, at: number): void {
    this.#expectValue(byte, at)
    if (this.#depth === this.#maxDepth)
      throw this.#error(`it is nested deeper than ${this.#maxDepth} levels`, at)
    this.#stack[this.#depth++] = object
    this.#expect = object === 1 ? Expect.KeyOrEnd : Expect.ValueOrEnd
    if (object === 1) this.#handler.beginObject()
    else this.#handler.beginArray()
  }

  #close(object: 0 | 1, whenEmpty: Expect, byte: number, at: number): void {
    const allowed = this.#expect === Expect.CommaOrEnd || this.#expect === whenEmpty
    if (!allowed || this.#stack[this.#depth - 1] !== object) throw this.#unexpected(byte, at)
    this.#depth--
    this.#valueDone()
    if (object === 1) this.#handler.endObject()
    else this.#handler.endArray()
  }

  #valueDone(): void {
    this.#expect = this.#depth === 0 ? Expect.Nothing : Expect.CommaOrEnd
  }

  /** Goes on with the token that the last piece broke off in. */
  #resume(piece: Buffer): number {
    if (this.#pending === Pending.Bare) return this.#scanBare(piece, 0)
    if (this.#pending === Pending.String) return this.#scanString(piece, 0, 0)
    return piece.length === 0 ? 0 : this.#scanString(piece, 0, 1)
  }

  #beginString(piece: Buffer, at: number): number {
    const key = this.#expect === Expect.Key || this.#expect === Expect.KeyOrEnd
    if (!key) this.#expectValue(quote, at)
    this.#encoded = false
    return this.#scanString(piece, at + 1, at + 1)
  }

  /** `start` is where the string's bytes in this piece begin, `from` the first that has not been looked at. */
  #scanString(piece: Buffer, start: number, from: number): number {
    const length = piece.length
    let at = from
    for (;;) {
      while (at < length && textBytes[piece[at] ?? 0] === plainByte) at++
      if (at >= length) break
      const byte = piece[at] ?? 0
      if (byte === quote) {
        this.#endString(piece, start, at)
        return at + 1
      }
      if (byte < 0x20) throw this.#error('it has a control character in a string', at)
      this.#encoded = true
      // What follows a backslash is not looked at here, for it may be a quote; the escapes are checked when decoded.
      at += byte === backslash ? 2 : 1
    }
    this.#pending = at > length ? Pending.Escape : Pending.String
    this.#keep(piece, start, length, this.#maxStringBytes)
    return length
  }

  #endString(piece: Buffer, start: number, end: number): void {
    if (this.#spill.length + end - start > this.#maxStringBytes)
      throw this.#tooLong(this.#maxStringBytes, end)
    this.#pending = Pending.None
    if (this.#spill.length === 0) this.#show(piece, start, end, end)
    else {
      this.#spill.add(piece, start, end)
      this.#show(this.#spill.bytes, 0, this.#spill.length, end)
      this.#spill.clear()
    }
    if (this.#expect === Expect.Key || this.#expect === Expect.KeyOrEnd) {
      this.#expect = Expect.Colon
      this.#handler.key(this.#text)
    } else {
      this.#valueDone()
      this.#handler.string(this.#text)
    }
  }

  #show(bytes: Buffer, start: number, end: number, at: number): void {
    if (!this.#encoded) {
      this.#text.setPlain(bytes, start, end)
      return
    }
    try {
      this.#text.setEncoded(bytes, start, end)
    } catch (error) {
      const fault = error instanceof SyntaxError ? 'a bad escape in a string' : 'bytes that are not UTF-8'
      throw this.#error(`it has ${fault}`, at)
    }
  }

  #scanBare(piece: Buffer, start: number): number {
    let at = start
    while (at < piece.length && (bareBytes[piece[at] ?? 0] ?? 0) >= numberByte) at++
    if (at === piece.length) {
      this.#pending = Pending.Bare
      this.#keep(piece, start, at, maxNumberBytes)
    } else if (this.#spill.length === 0) this.#endBare(piece, start, at, at)
    else {
      this.#keep(piece, start, at, maxNumberBytes)
      this.#endBare(this.#spill.bytes, 0, this.#spill.length, at)
    }
    return at
  }

  #endBare(bytes: Buffer, start: number, end: number, at: number): void {
    const first = bareBytes[bytes[start] ?? 0]
    const limit = first === numberByte ? maxNumberBytes : maxLiteralBytes
    if (end - start > limit) throw this.#tooLong(limit, at)
    const text = bytes.toString('latin1', start, end)
    this.#spill.clear()
    this.#pending = Pending.None
    this.#valueDone()
    if (first === numberByte) {
      if (!isJsonNumber(text)) throw this.#error(`${JSON.stringify(text)} is no number`, at)
      this.#handler.number(text)
    } else if (text === 'null') this.#handler.literal(null)
    else if (text === 'true' || text === 'false') this.#handler.literal(text === 'true')
    else throw this.#error(`${JSON.stringify(text)} is no JSON`, at)
  }

  #keep(piece: Buffer, start: number, end: number, maxBytes: number): void {
    if (this.#spill.length + end - start > maxBytes) throw this.#tooLong(maxBytes, end)
    this.#spill.add(piece, start, end)
  }

  #tooLong(maxBytes: number, at: number): BackupError {
    return this.#error(`it has a string, number or word of more than ${maxBytes} bytes`, at)
  }

  #unexpected(byte: number, at: number): BackupError {
    const shown =
      byte > 0x20 && byte < 0x7f ? `\`${String.fromCharCode(byte)}\`` : `byte 0x${byte.toString(16)}`
    return this.#error(`there should be no ${shown}`, at)
  }

  #error(problem: string, at: number): BackupError {
    return invalidJson(this.#subject, `${problem} (at byte ${this.#bytesBefore + at})`)
  }
}

/** Reads a whole text. The handler has been told all of it when the promise resolves. */
export async function readJson(
  pieces: AsyncIterable<Uint8Array>,
  handler: JsonHandler,
  subject: JsonSubject,
  limits?: JsonLimits,
): Promise<void> {
  const stream = new JsonStream(handler, subject, limits)
  for await (const piece of pieces) stream.write(piece)
  stream.end()
}
