import type { JsonValue } from '../contracts/records.js'
import { BackupError, type BackupErrorCode } from '../errors/backup-error.js'
import type { ListDocument } from './list-document.js'

/** Describes a JSON text, for the error when it is not valid. */
export interface JsonSubject {
  /** How the message names it. @default the object's name */
  readonly what?: string
  /** What the error advises. */
  readonly next?: string
  /** @default 'METADATA_INVALID' */
  readonly code?: BackupErrorCode
  readonly container?: string
  readonly objectName?: string
}

const defaultNext = 'It was damaged, or not written by a backup: use another copy of it, or another backup.'

/** The error for a text that is not valid. */
export function invalidJson(subject: JsonSubject, problem: string): BackupError {
  const { container, objectName } = subject
  const place = container === undefined ? '' : ` in container ${JSON.stringify(container)}`
  const what = subject.what ?? `Object ${JSON.stringify(objectName ?? '')}${place}`
  return new BackupError(
    subject.code ?? 'METADATA_INVALID',
    `${what} is not valid: ${problem}. ${subject.next ?? defaultNext}`,
    {
      ...(container === undefined ? {} : { container }),
      ...(objectName === undefined ? {} : { objectName }),
    },
  )
}

/** Maximum nesting: deeper values would overflow the stack when they are serialized. */
export const MAX_JSON_DEPTH = 64

/** A few bytes of text (`[[],[],…]`) take many times their size in memory. */
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON strictly: UTF-8 without a byte order mark, and no number that JavaScript rounds.
 *
 * @param maxBytes - longer texts are refused. @default 8 MiB
 * @throws BackupError of the subject's code
 */
export function parseJsonText(
  text: string | Uint8Array,
  subject: JsonSubject,
  { maxBytes = DEFAULT_MAX_BYTES }: { readonly maxBytes?: number } = {},
): JsonValue {
  const lengthBytes = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  if (lengthBytes > maxBytes) throw invalidJson(subject, `it is longer than ${maxBytes} bytes`)
  const decoded = typeof text === 'string' ? text : decodeUtf8(text, subject)
  const withoutStrings = decoded.replace(/"(?:[^"\\]|\\.)*"/gs, '""')
  assertDepth(withoutStrings, subject)
  const value = parseDecoded(decoded, subject)
  for (const [token] of withoutStrings.matchAll(/-?\d[\d.eE+-]*/g)) {
    if (!isExact(token))
      throw invalidJson(subject, `${token.slice(0, 40)} is a number that JavaScript cannot hold exactly`)
  }
  return value
}

/** The value of a text that was decoded. @throws BackupError of the subject's code */
export function parseDecoded(text: string, subject: JsonSubject): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (error) {
    // V8 quotes the text, which may contain control characters.
    const reason = error instanceof Error ? JSON.stringify(error.message.slice(0, 100)) : ''
    throw invalidJson(subject, `it is not valid JSON (${reason.slice(1, -1)})`)
  }
}

/** @throws BackupError of the subject's code for bytes that are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array, subject: JsonSubject): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalidJson(subject, 'it has bytes that are not UTF-8')
  }
}

/** Whether the value is an object: neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Names a value for messages. */
export function shownJson(value: JsonValue | undefined): string {
  if (typeof value === 'string') return 'a string'
  if (typeof value === 'number') return `the number ${value}`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'boolean' || value === null || value === undefined) return String(value)
  return 'an object'
}

function assertDepth(withoutStrings: string, subject: JsonSubject): void {
  let depth = 0
  for (const [bracket] of withoutStrings.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > MAX_JSON_DEPTH) throw nestedTooDeep(subject)
  }
}

/** The error for a text with more than {@link MAX_JSON_DEPTH} levels. */
export function nestedTooDeep(subject: JsonSubject): BackupError {
  return invalidJson(subject, `it is nested deeper than ${MAX_JSON_DEPTH} levels`)
}

function isExact(token: string): boolean {
  const value = Number(token)
  return /^-?\d+$/.test(token) ? Number.isSafeInteger(value) : Number.isFinite(value)
}

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
