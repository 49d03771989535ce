import type { JsonHandler } from './json-handler.js'
import { parseSafeInteger } from './json-number.js'
import type { JsonText } from './json-text.js'
import type { JsonValue } from '../contracts/records.js'
import { JsonValueReader } from './json-value-reader.js'
import { quoted } from './name-rules.js'

/** Takes note of what is wrong, so that the version of a foreign text is found before its other oddities count. */
export class JsonProblems {
  #first: string | undefined

  /** The first problem. */
  get first(): string | undefined {
    return this.#first
  }

  report(path: string, problem: string): void {
    this.#first ??= `\`${path}\` ${problem}`
  }
}

/** Reads the value of one key. Every kind of value that a subclass does not take is a problem. */
export abstract class FieldReader implements JsonHandler {
  readonly path: string
  readonly required: boolean
  protected readonly problems: JsonProblems
  protected abstract readonly wanted: string

  constructor(path: string, problems: JsonProblems, required: boolean) {
    this.path = path
    this.problems = problems
    this.required = required
  }

  beginObject(): void {
    this.unwanted('an object')
  }

  key(text: JsonText): void {
    this.unwanted(`an object with the key ${quoted(text.text())}`)
  }

  endObject(): void {
    // The object was a problem when it began.
  }

  beginArray(): void {
    this.unwanted('an array')
  }

  endArray(): void {
    // The array was a problem when it began.
  }

  string(text: JsonText): void {
    this.unwanted(`a string of ${text.end - text.start} bytes`)
  }

  number(text: string): void {
    this.unwanted(`the number ${text.slice(0, 40)}`)
  }

  literal(value: boolean | null): void {
    this.unwanted(String(value))
  }

  protected unwanted(found: string): void {
    this.problems.report(this.path, `must be ${this.wanted}, but is ${found}`)
  }
}

/** Reads a text. */
export class TextField extends FieldReader {
  protected readonly wanted: string = 'a string'
  readonly #check: (text: string) => string | null
  #value: string | null = null

  /** @param check what is wrong with a text, or null */
  constructor(path: string, problems: JsonProblems, check: (text: string) => string | null = () => null) {
    super(path, problems, true)
    this.#check = check
  }

  /** The text; empty where there was none, which is a problem. */
  get value(): string {
    return this.#value ?? ''
  }

  override string(text: JsonText): void {
    this.#value = text.text()
    const problem = this.#check(this.#value)
    if (problem !== null) this.problems.report(this.path, problem)
  }
}

/** Reads a text or null. Absent is null. */
export class NullableTextField extends FieldReader {
  protected readonly wanted: string = 'a string or null'
  readonly #check: (text: string) => string | null
  value: string | null = null

  constructor(path: string, problems: JsonProblems, check: (text: string) => string | null = () => null) {
    super(path, problems, false)
    this.#check = check
  }

  override string(text: JsonText): void {
    this.value = text.text()
    const problem = this.#check(this.value)
    if (problem !== null) this.problems.report(this.path, problem)
  }

  override literal(value: boolean | null): void {
    if (value !== null) super.literal(value)
  }
}

/** Reads a list of texts, or null. Absent is null. */
export class TextListField extends FieldReader {
  protected readonly wanted: string = 'an array of strings, or null'
  readonly #check: (text: string) => string | null
  #isOpen = false
  value: string[] | null = null

  constructor(path: string, problems: JsonProblems, check: (text: string) => string | null) {
    super(path, problems, false)
    this.#check = check
  }

  override beginArray(): void {
    if (this.#isOpen) super.beginArray()
    this.#isOpen = true
    this.value ??= []
  }

  override endArray(): void {
    this.#isOpen = false
  }

  override string(text: JsonText): void {
    if (!this.#isOpen) super.string(text)
    const item = text.text()
    this.value?.push(item)
    const problem = this.#check(item)
    if (problem !== null) this.problems.report(this.path, problem)
  }

  override literal(value: boolean | null): void {
    if (value !== null || this.#isOpen) super.literal(value)
  }
}

/** Reads an integer that JavaScript holds exactly. */
export class IntegerField extends FieldReader {
  protected readonly wanted: string
  readonly #min: number
  readonly #max: number
  value: number | null = null

  constructor(path: string, problems: JsonProblems, range: { required: boolean; min: number; max: number }) {
    super(path, problems, range.required)
    this.#min = range.min
    this.#max = range.max
    this.wanted = `an integer from ${range.min} to ${range.max}`
  }

  override number(text: string): void {
    const value = parseSafeInteger(text)
    if (value === null || value < this.#min || value > this.#max) super.number(text)
    else this.value = value
  }

  override literal(value: boolean | null): void {
    if (value !== null || this.required) super.literal(value)
  }
}

/** Reads an object of any content, or null. Absent is null. */
export class ObjectField extends FieldReader {
  protected readonly wanted: string = 'an object or null'
  readonly #reader: JsonValueReader
  #depth = 0

  constructor(path: string, problems: JsonProblems) {
    super(path, problems, false)
    this.#reader = new JsonValueReader((problem) => {
      problems.report(path, `is of no use: ${problem}`)
    })
  }

  get value(): JsonValue {
    return this.#reader.value ?? null
  }

  override beginObject(): void {
    this.#depth++
    this.#reader.beginObject()
  }

  override key(text: JsonText): void {
    this.#reader.key(text)
  }

  override endObject(): void {
    this.#depth--
    this.#reader.endObject()
  }

  override beginArray(): void {
    if (this.#depth === 0) super.beginArray()
    this.#depth++
    this.#reader.beginArray()
  }

  override endArray(): void {
    this.#depth--
    this.#reader.endArray()
  }

  override string(text: JsonText): void {
    if (this.#depth === 0) super.string(text)
    else this.#reader.string(text)
  }

  override number(text: string): void {
    if (this.#depth === 0) super.number(text)
    else this.#reader.number(text)
  }

  override literal(value: boolean | null): void {
    if (this.#depth > 0) this.#reader.literal(value)
    else if (value !== null) super.literal(value)
  }
}
