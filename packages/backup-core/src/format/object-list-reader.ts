import { FieldReader, type JsonProblems } from './field-reader.js'
import { parseSafeInteger } from './json-number.js'
import type { JsonText } from './json-text.js'
import type { StoredObject } from './metadata-types.js'
import { maxObjectNameBytes, quoted } from './name-rules.js'
import { chunkObjectName, isChunkSuffix } from './object-names.js'

const known = ['compression', 'length', 'md5', 'offset'] as const
type Known = (typeof known)[number]

/** Where in `objects` the reader is: how many containers are open. */
const inList = 1
const inEntry = 2
const inObject = 3

const md5Pattern = /^[0-9a-f]{32}$/

/**
 * Reads `objects`, a list of one-key maps `{name: {compression, length, md5, offset}}`. A list of millions is read in
 * one pass; no name outside of the backup's own comes through.
 */
export class ObjectListReader extends FieldReader {
  protected readonly wanted: string = 'an array'
  readonly #prefix: string
  readonly #prefixBytes: Buffer
  readonly #words = new Map<string, string>()

  readonly objects: StoredObject[] = []
  /** The end of the furthest object. */
  endBytes = 0

  #depth = 0
  #keysInEntry = 0
  #field: Known | null = null
  #seen = 0
  #name = ''
  #compression = ''
  #lengthBytes = 0
  #offsetBytes = 0
  #md5: string | null = null

  /** The highest number so far, while names have come in rising order: then none can have come before. */
  #lastNumber = 0
  #names: Set<string> | undefined

  constructor(prefix: string, problems: JsonProblems) {
    super('objects', problems, true)
    this.#prefix = prefix
    this.#prefixBytes = Buffer.from(prefix)
  }

  override beginArray(): void {
    if (this.#depth === 0) this.#depth++
    else this.#nested('an array')
  }

  override endArray(): void {
    this.#depth--
  }

  override beginObject(): void {
    if (this.#depth === inList) {
      this.#keysInEntry = 0
      this.#depth++
    } else if (this.#depth === inEntry) {
      this.#beginObject()
      this.#depth++
    } else this.#nested('an object')
  }

  override endObject(): void {
    this.#depth--
    if (this.#depth === inList && this.#keysInEntry !== 1) {
      this.#problem('', `must have one key, an object's name, but has ${this.#keysInEntry}`)
    } else if (this.#depth === inEntry) this.#endObject()
  }

  override key(text: JsonText): void {
    if (this.#depth === inEntry) {
      this.#keysInEntry++
      this.#name = this.#readName(text)
    } else if (this.#depth === inObject) this.#selectField(text)
  }

  override string(text: JsonText): void {
    if (this.#field === null || this.#depth !== inObject) this.#scalar('a string')
    else if (this.#field === 'compression') this.#compression = this.#word(text.text())
    else if (this.#field === 'md5') this.#readMd5(text)
    else this.#wrong(this.#field, 'a string')
  }

  override number(text: string): void {
    const shown = `the number ${text.slice(0, 40)}`
    if (this.#field === null || this.#depth !== inObject) {
      this.#scalar(shown)
      return
    }
    const value = parseSafeInteger(text)
    if (value === null || value < 0) this.#wrong(this.#field, shown)
    else if (this.#field === 'length') this.#lengthBytes = value
    else if (this.#field === 'offset') this.#offsetBytes = value
    else this.#wrong(this.#field, shown)
  }

  override literal(value: boolean | null): void {
    if (this.#field === null || this.#depth !== inObject) this.#scalar(String(value))
    else if (this.#field !== 'md5' || value !== null) this.#wrong(this.#field, String(value))
  }

  #beginObject(): void {
    this.#field = null
    this.#seen = 0
    this.#md5 = null
  }

  #endObject(): void {
    for (let index = 0; index < known.length; index++) {
      const field = known[index]
      if (field === undefined || field === 'md5' || (this.#seen & (1 << index)) !== 0) continue
      this.#problem(`.${quoted(this.#name)}.${field}`, 'is missing')
    }
    const endBytes = this.#offsetBytes + this.#lengthBytes
    if (!Number.isSafeInteger(endBytes)) {
      this.#problem(`.${quoted(this.#name)}`, 'ends beyond what JavaScript counts exactly')
    }
    // A text that is refused in the end need not be held until then.
    if (this.problems.first !== undefined) return
    if (endBytes > this.endBytes) this.endBytes = endBytes
    this.objects.push({
      name: this.#name,
      offsetBytes: this.#offsetBytes,
      lengthBytes: this.#lengthBytes,
      compression: this.#compression,
      md5: this.#md5,
    })
  }

  #selectField(text: JsonText): void {
    this.#field = null
    for (let index = 0; index < known.length; index++) {
      const field = known[index]
      if (field === undefined || !text.is(field)) continue
      if ((this.#seen & (1 << index)) !== 0)
        this.#problem(`.${quoted(this.#name)}.${field}`, 'is there twice')
      this.#seen |= 1 << index
      this.#field = field
      return
    }
  }

  #readName(text: JsonText): string {
    const suffixStart = text.start + this.#prefixBytes.length
    const inPlace =
      text.plain &&
      suffixStart <= text.end &&
      text.bytes.compare(this.#prefixBytes, 0, this.#prefixBytes.length, text.start, suffixStart) === 0
    if (inPlace) {
      // One prefix and a short suffix joined cost half of the memory of a string of its own, until somebody looks
      // into the joined one: so it is the suffix that is checked.
      const suffix = text.bytes.toString('latin1', suffixStart, text.end)
      const name = this.#prefix + suffix
      this.#checkName(name, suffix)
      return name
    }
    const name = text.text()
    this.#checkName(name, name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : '')
    return name
  }

  #checkName(name: string, suffix: string): void {
    if (!isChunkSuffix(suffix) || this.#prefixBytes.length + suffix.length > maxObjectNameBytes) {
      const wanted = `${quoted(this.#prefix)}, \`-\` and at least five digits`
      this.#problem('', `names ${quoted(name)}; the objects of this backup are ${wanted}`)
      return
    }
    const number = Number(suffix.slice(1))
    const inOrder = number > this.#lastNumber && suffix === chunkObjectName('', number)
    if (this.#names === undefined && inOrder) this.#lastNumber = number
    else if (this.#isRepeated(name)) this.#problem('', `names ${quoted(name)} a second time`)
  }

  #isRepeated(name: string): boolean {
    this.#names ??= new Set(this.objects.map((object) => object.name))
    if (this.#names.has(name)) return true
    this.#names.add(name)
    return false
  }

  /** One string for each word, not one for each object. */
  #word(text: string): string {
    const found = this.#words.get(text)
    if (found !== undefined) return found
    const word = text.toLowerCase()
    if (word === '' || word.length > 64) this.#wrong('compression', quoted(text))
    if (this.#words.size < 100) this.#words.set(text, word)
    return word
  }

  #readMd5(text: JsonText): void {
    const md5 = text.text().toLowerCase()
    if (md5Pattern.test(md5)) this.#md5 = md5
    else this.#wrong('md5', quoted(md5))
  }

  /** A container where none belongs, or inside of a key that is not known: it counts for nothing. */
  #nested(found: string): void {
    if (this.#depth === 0) this.unwanted(found)
    else if (this.#depth < inObject) this.#scalar(found)
    else if (this.#depth === inObject && this.#field !== null) this.#wrong(this.#field, found)
    this.#depth++
  }

  #scalar(found: string): void {
    if (this.#depth === 0) this.unwanted(found)
    else if (this.#depth === inList) this.#problem('', `must be an object, but is ${found}`)
    else if (this.#depth === inEntry)
      this.#problem(`.${quoted(this.#name)}`, `must be an object, but is ${found}`)
  }

  #wrong(field: Known, found: string): void {
    const wanted = {
      compression: 'the word for how it is compressed',
      length: 'an integer from 0 on',
      md5: '32 hex digits or null',
      offset: 'an integer from 0 on',
    }[field]
    this.#problem(`.${quoted(this.#name)}.${field}`, `must be ${wanted}, but is ${found}`)
  }

  #problem(path: string, problem: string): void {
    this.problems.report(`objects[${this.objects.length}]${path}`, problem)
  }
}
