import { JsonProblems, type FieldReader } from './field-reader.js'
import { FORMAT_VERSION, unsupportedVersion } from './format-version.js'
import type { JsonHandler } from './json-handler.js'
import { invalidJson, type JsonSubject } from './json-subject.js'
import type { JsonText } from './json-text.js'

/** Hears the value of a key that nobody asks for. */
const ignored: JsonHandler = {
  beginObject: () => undefined,
  key: () => undefined,
  endObject: () => undefined,
  beginArray: () => undefined,
  endArray: () => undefined,
  string: () => undefined,
  number: () => undefined,
  literal: () => undefined,
}

/**
 * Reads one of the two JSON objects of a backup: each known key goes to its reader, in any order; others are ignored,
 * as Cinder ignores them.
 */
export class DocumentReader implements JsonHandler {
  readonly #fields: ReadonlyMap<string, FieldReader>
  readonly #seen = new Set<string>()
  readonly #problems: JsonProblems
  #current: JsonHandler = ignored
  #depth = 0
  /** The version as the text gives it, however foreign the rest. */
  #version: string | undefined
  #versionNext = false

  constructor(fields: readonly FieldReader[], problems: JsonProblems) {
    this.#fields = new Map(fields.map((field) => [field.path, field]))
    this.#problems = problems
  }

  /**
   * Says that the text has ended well.
   * @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0, else `METADATA_INVALID` for the first problem.
   */
  finish(subject: JsonSubject): void {
    if (this.#version !== undefined && this.#version !== FORMAT_VERSION) {
      throw unsupportedVersion(this.#version, subject)
    }
    if (this.#version === undefined)
      this.#problems.report('version', `must be the string "${FORMAT_VERSION}"`)
    for (const field of this.#fields.values()) {
      if (field.required && !this.#seen.has(field.path)) this.#problems.report(field.path, 'is missing')
    }
    if (this.#problems.first !== undefined) throw invalidJson(subject, this.#problems.first)
  }

  /** Whether the text has this key, if it is a known one. */
  has(key: string): boolean {
    return this.#seen.has(key)
  }

  beginObject(): void {
    if (this.#depth++ > 0) this.#current.beginObject()
  }

  key(text: JsonText): void {
    if (this.#depth > 1) this.#current.key(text)
    else this.#select(text.text())
  }

  endObject(): void {
    if (--this.#depth > 0) this.#current.endObject()
  }

  beginArray(): void {
    if (this.#depth++ === 0) this.#notAnObject()
    else this.#current.beginArray()
  }

  endArray(): void {
    if (--this.#depth > 0) this.#current.endArray()
  }

  string(text: JsonText): void {
    if (this.#depth === 0) this.#notAnObject()
    if (this.#versionNext && this.#depth === 1) this.#version = text.text()
    this.#current.string(text)
  }

  number(text: string): void {
    if (this.#depth === 0) this.#notAnObject()
    this.#current.number(text)
  }

  literal(value: boolean | null): void {
    if (this.#depth === 0) this.#notAnObject()
    this.#current.literal(value)
  }

  #select(key: string): void {
    this.#versionNext = key === 'version'
    this.#current = this.#fields.get(key) ?? ignored
    if (this.#current === ignored && !this.#versionNext) return
    if (this.#seen.has(key)) this.#problems.report(key, 'is there twice')
    this.#seen.add(key)
  }

  #notAnObject(): void {
    this.#problems.report('.', 'must be an object')
  }
}
