import { FieldReader, type JsonProblems } from './field-reader.js'
import { hashBytes, HashList } from './hash-list.js'
import type { JsonText } from './json-text.js'

/** Reads `sha256s`: 64 hex digits a block, from the text into the list without a string in between. */
export class HashListReader extends FieldReader {
  protected readonly wanted: string = 'an array'
  readonly hashes = new HashList()
  #depth = 0

  constructor(problems: JsonProblems) {
    super('sha256s', problems, true)
  }

  override beginArray(): void {
    if (this.#depth > 0) this.#item('an array')
    this.#depth++
  }

  override endArray(): void {
    this.#depth--
  }

  override beginObject(): void {
    if (this.#depth === 0) super.beginObject()
    else this.#item('an object')
    this.#depth++
  }

  override endObject(): void {
    this.#depth--
  }

  override string(text: JsonText): void {
    if (this.#depth === 0) super.string(text)
    else if (!text.plain || text.end - text.start !== 2 * hashBytes) this.#item('another string')
    else if (!this.hashes.pushHex(text.bytes, text.start)) this.#item('another string')
  }

  override number(text: string): void {
    if (this.#depth === 0) super.number(text)
    else this.#item('a number')
  }

  override literal(value: boolean | null): void {
    if (this.#depth === 0) super.literal(value)
    else this.#item(String(value))
  }

  #item(found: string): void {
    this.problems.report(`sha256s[${this.hashes.length}]`, `must be 64 hex digits, but is ${found}`)
  }
}
