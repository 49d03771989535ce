import type { JsonHandler } from './json-handler.js'
import { parseExactNumber } from './json-number.js'
import { JsonStream, type JsonLimits } from './json-stream.js'
import { invalidJson, type JsonSubject } from './json-subject.js'
import type { JsonText } from './json-text.js'
import type { JsonValue } from '../contracts/records.js'

type OpenContainer = JsonValue[] | Record<string, JsonValue>

/** Values in one tree: a few bytes of text (`[[],[],…]`) can make many times their size in objects. */
export const maxTreeValues = 1_000_000

/** Called with why a value cannot be built. */
export type ValueProblem = (problem: string) => void

/**
 * Builds a value from what a {@link JsonHandler} is told. Objects have no prototype, so that a key `__proto__` is a key
 * like any other. Of two members with one key the later counts, as for `JSON.parse` and Python.
 */
export class JsonValueReader implements JsonHandler {
  readonly #report: ValueProblem
  readonly #open: OpenContainer[] = []
  readonly #keys: string[] = []
  #key = ''
  #count = 0
  #value: JsonValue | undefined

  /** @param report is called for numbers that JavaScript would round, and for trees that are too large. */
  constructor(report: ValueProblem) {
    this.#report = report
  }

  /** The value, once it is whole. */
  get value(): JsonValue | undefined {
    return this.#value
  }

  beginObject(): void {
    this.#begin(Object.create(null) as Record<string, JsonValue>)
  }

  key(text: JsonText): void {
    this.#key = text.text()
  }

  endObject(): void {
    this.#end()
  }

  beginArray(): void {
    this.#begin([])
  }

  endArray(): void {
    this.#end()
  }

  string(text: JsonText): void {
    this.#add(text.text())
  }

  number(text: string): void {
    const value = parseExactNumber(text)
    if (value === null) this.#report(`${text.slice(0, 40)} is a number that JavaScript cannot hold`)
    this.#add(value)
  }

  literal(value: boolean | null): void {
    this.#add(value)
  }

  #begin(container: OpenContainer): void {
    this.#open.push(container)
    this.#keys.push(this.#key)
  }

  #end(): void {
    const container = this.#open.pop()
    this.#key = this.#keys.pop() ?? ''
    if (container !== undefined) this.#add(container)
  }

  #add(value: JsonValue): void {
    this.#count++
    if (this.#count > maxTreeValues) {
      if (this.#count === maxTreeValues + 1) this.#report(`there are more than ${maxTreeValues} values in it`)
      return
    }
    const parent = this.#open.at(-1)
    if (parent === undefined) this.#value = value
    else if (Array.isArray(parent)) parent.push(value)
    else parent[this.#key] = value
  }
}

/**
 * Reads a small JSON text that is in memory, by the same strict rules as the large ones.
 * @throws BackupError of the subject's code.
 */
export function parseJsonText(
  text: string | Uint8Array,
  subject: JsonSubject,
  limits?: JsonLimits,
): JsonValue {
  const reader = new JsonValueReader((problem) => {
    throw invalidJson(subject, problem)
  })
  const stream = new JsonStream(reader, subject, limits)
  stream.write(typeof text === 'string' ? Buffer.from(text) : text)
  stream.end()
  return reader.value ?? null
}

/** Whether the value is an object: neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
