import type { JsonValue } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import { invalidJson, isJsonObject, shownJson, type JsonSubject } from './json.js'
import type { ListDocument } from './list-document.js'

/** The version of the format. There has been no other. */
export const FORMAT_VERSION = '1.0.0'

/** Returns the problem of a text, or null. */
export type TextCheck = (text: string) => string | null

const anyText: TextCheck = () => null

/** Keeps the first problem, so that an unknown version is reported before other problems. */
export class JsonProblems {
  #first: string | undefined

  get first(): string | undefined {
    return this.#first
  }

  report(path: string, problem: string): void {
    this.#first ??= `\`${path}\` ${problem}`
  }

  /** Adds the problems that another collector found, after its own. */
  include({ first }: JsonProblems): void {
    this.#first ??= first
  }
}

/** The fields of one of the two JSON objects of a backup. Unknown keys are ignored, as Cinder ignores them. */
export class Fields {
  readonly #values: { readonly [key: string]: JsonValue }
  readonly #repeatedKeys: ReadonlySet<string>
  readonly #problems: JsonProblems

  /** @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0 */
  constructor({ value, repeatedKeys }: ListDocument, problems: JsonProblems, subject: JsonSubject) {
    this.#values = isJsonObject(value) ? value : {}
    this.#repeatedKeys = repeatedKeys
    this.#problems = problems
    const version = this.#values['version']
    if (typeof version === 'string' && version !== FORMAT_VERSION) throw unsupportedVersion(version, subject)
    if (!isJsonObject(value)) problems.report('.', `must be an object, but is ${shownJson(value)}`)
    if (version !== FORMAT_VERSION) problems.report('version', `must be the string "${FORMAT_VERSION}"`)
    this.#refuseRepeated('version')
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key)
  }

  /** A string; empty where it is missing, which is a problem. */
  text(key: string, check: TextCheck = anyText): string {
    const value = this.#take(key)
    if (typeof value === 'string') return this.#checked(key, value, check)
    this.#problems.report(
      key,
      value === undefined ? 'is missing' : `must be a string, but is ${shownJson(value)}`,
    )
    return ''
  }

  /** A string, or null. Absent is null. */
  nullableText(key: string, check: TextCheck = anyText): string | null {
    const value = this.#take(key) ?? null
    if (typeof value === 'string') return this.#checked(key, value, check)
    if (value !== null) this.#wrong(key, 'a string or null', value)
    return null
  }

  /** An array of strings, or null. Absent is null. */
  nullableTexts(key: string, check: TextCheck): string[] | null {
    const value = this.#take(key) ?? null
    if (value === null) return null
    if (!Array.isArray(value)) return this.#wrong(key, 'an array of strings, or null', value)
    const texts: string[] = []
    for (const item of value as readonly JsonValue[]) {
      if (typeof item === 'string') texts.push(this.#checked(key, item, check))
      else return this.#wrong(key, 'an array of strings, or null', item)
    }
    return texts
  }

  /** An integer that JavaScript holds exactly, or null. Absent is null. */
  nullableInteger(key: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | null {
    const value = this.#take(key) ?? null
    if (value === null) return null
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    return this.#wrong(key, `an integer from ${min} to ${max}`, value)
  }

  /** The same, where absent is a problem. */
  integer(key: string, min: number, max: number): number {
    const value =
      this.#values[key] === null
        ? this.#wrong(key, `an integer from ${min} to ${max}`, null)
        : this.nullableInteger(key, min, max)
    if (!this.has(key)) this.#problems.report(key, 'is missing')
    return value ?? 0
  }

  /** An object of any content, or null. Absent is null. */
  nullableObject(key: string): { readonly [key: string]: JsonValue } | null {
    const value = this.#take(key) ?? null
    if (value === null || isJsonObject(value)) return value
    return this.#wrong(key, 'an object or null', value)
  }

  /** A list that was read item by item. */
  list(key: string, { lists }: ListDocument): void {
    const value = this.#take(key)
    if (lists === 0 && value === undefined) this.#problems.report(key, 'is missing')
    else if (!Array.isArray(value) || lists === 0) this.#wrong(key, 'an array', value)
  }

  /** @throws BackupError `METADATA_INVALID` for the first problem */
  finish(subject: JsonSubject): void {
    if (this.#problems.first !== undefined) throw invalidJson(subject, this.#problems.first)
  }

  #take(key: string): JsonValue | undefined {
    this.#refuseRepeated(key)
    return this.has(key) ? this.#values[key] : undefined
  }

  #refuseRepeated(key: string): void {
    if (this.#repeatedKeys.has(key)) this.#problems.report(key, 'occurs twice')
  }

  #checked(key: string, text: string, check: TextCheck): string {
    const problem = check(text)
    if (problem !== null) this.#problems.report(key, problem)
    return text
  }

  #wrong(key: string, expected: string, value: JsonValue | undefined): null {
    this.#problems.report(key, `must be ${expected}, but is ${shownJson(value)}`)
    return null
  }
}

/** With Cinder's message. */
function unsupportedVersion(version: string, { container, objectName }: JsonSubject): BackupError {
  const shown = version.length > 100 ? `${version.slice(0, 100)}…` : version
  return new BackupError(
    'VERSION_UNSUPPORTED',
    `No support to restore backup version ${shown}. Stowage reads version ${FORMAT_VERSION}: use the program that wrote ${JSON.stringify(objectName ?? 'it')}, or a newer Stowage.`,
    {
      ...(container === undefined ? {} : { container }),
      ...(objectName === undefined ? {} : { objectName }),
    },
  )
}
