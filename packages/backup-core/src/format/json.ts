import type { JsonValue } from '../contracts/records.js'
import { BackupError, type BackupErrorCode } from '../errors/backup-error.js'
import type { ListDocument } from './list-document.js'

/** What JSON calls an object. */
export type JsonObject = Readonly<Record<string, JsonValue>>

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
  const location = container === undefined ? '' : ` in container ${JSON.stringify(container)}`
  const what = subject.what ?? `Object ${JSON.stringify(objectName ?? '')}${location}`
  const message = `${what} is not valid: ${problem}. ${subject.next ?? defaultNext}`
  return new BackupError(subject.code ?? 'METADATA_INVALID', message, detailsOf(subject))
}

function detailsOf({ container, objectName }: JsonSubject): { container?: string; objectName?: string } {
  return { ...(container !== undefined && { container }), ...(objectName !== undefined && { objectName }) }
}

/** Maximum nesting: deeper values would overflow the stack when they are serialized. */
export const MAX_JSON_DEPTH = 64

/** A few bytes of text (`[[],[],…]`) take many times their size in memory. */
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON strictly: UTF-8 without a byte order mark, and no number that JavaScript rounds.
 *
 * @param maxBytes - longer texts are rejected. @default 8 MiB
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
  let depth = 0
  for (const [bracket] of withoutStrings.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > MAX_JSON_DEPTH) throw nestedTooDeep(subject)
  }
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
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
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
type TextCheck = (text: string) => string | null

/**
 * The fields of a JSON object that was read from a store. Unknown keys are ignored, as Cinder ignores them. A field that is
 * not valid is kept as a problem, so that an unknown version is reported before other problems: {@link finish} throws the
 * first one.
 */
export class Fields {
  readonly #values: JsonObject
  #problem: string | undefined

  /** @param path - what precedes each key in a problem: `objects[1].` */
  constructor(
    value: JsonValue,
    private readonly subject: JsonSubject,
    private readonly repeatedKeys: ReadonlySet<string> = new Set(),
    private readonly path = '',
  ) {
    this.#values = isJsonObject(value) ? value : {}
    if (!isJsonObject(value)) this.report('.', `must be an object, but is ${shownJson(value)}`)
  }

  /**
   * The fields of one of the two JSON objects of a backup.
   *
   * @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0
   */
  static ofDocument({ value, repeatedKeys }: ListDocument, subject: JsonSubject): Fields {
    const fields = new Fields(value, subject, repeatedKeys)
    const version = isJsonObject(value) ? value['version'] : undefined
    if (typeof version === 'string' && version !== FORMAT_VERSION) throw unsupportedVersion(version, subject)
    fields.text('version')
    return fields
  }

  report(path: string, problem: string): void {
    this.#problem ??= `\`${this.path}${path}\` ${problem}`
  }

  /** The first problem so far. */
  get problem(): string | undefined {
    return this.#problem
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key)
  }

  /** A string; empty where there is none, which is a problem. */
  text(key: string, check?: TextCheck): string {
    const value = this.#take(key)
    return typeof value === 'string'
      ? this.#checked(key, value, check)
      : this.#wrong(key, 'a string', value, '')
  }

  /** A string, or null. Absent is null. */
  nullableText(key: string, check?: TextCheck): string | null {
    return (this.#take(key) ?? null) === null ? null : this.text(key, check)
  }

  /** An array of strings, or null. Absent is null. */
  nullableTexts(key: string, check: TextCheck): string[] | null {
    const value = this.#take(key) ?? null
    if (value === null) return null
    const items = Array.isArray(value) ? (value as readonly JsonValue[]) : undefined
    const wrong = items ? items.find((item) => typeof item !== 'string') : value
    if (!items || wrong !== undefined) return this.#wrong(key, 'an array of strings, or null', wrong, null)
    return items.map((item) => this.#checked(key, item as string, check))
  }

  /** An integer that JavaScript holds exactly; `min` where there is none, which is a problem. */
  integer(key: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(key)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)
      // Not -0.
      return value + 0
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`
    return this.#wrong(key, `an integer from ${range}`, value, min)
  }

  /** The same, or null. Absent is null. */
  nullableInteger(key: string, min: number): number | null {
    return (this.#take(key) ?? null) === null ? null : this.integer(key, min)
  }

  boolean(key: string): boolean {
    const value = this.#take(key)
    return typeof value === 'boolean' ? value : this.#wrong(key, 'true or false', value, false)
  }

  /** An object of any content, or null. Absent is null. */
  nullableObject(key: string): JsonObject | null {
    const value = this.#take(key) ?? null
    return value === null || isJsonObject(value) ? value : this.#wrong(key, 'an object or null', value, null)
  }

  /** A list that was read item by item, with the problem of its first bad item. */
  list(key: string, { lists }: ListDocument, itemProblem: string | undefined): void {
    const value = this.#take(key)
    this.#problem ??= itemProblem
    if (!Array.isArray(value) || lists === 0) this.#wrong(key, 'an array', value, null)
  }

  /** @throws BackupError of the subject's code for the first problem */
  finish(): void {
    if (this.#problem !== undefined) throw invalidJson(this.subject, this.#problem)
  }

  #take(key: string): JsonValue | undefined {
    if (this.repeatedKeys.has(key)) this.report(key, 'occurs twice')
    return this.has(key) ? this.#values[key] : undefined
  }

  #checked(key: string, text: string, check: TextCheck | undefined): string {
    const problem = check?.(text) ?? null
    if (problem !== null) this.report(key, problem)
    return text
  }

  #wrong<T>(key: string, expected: string, value: JsonValue | undefined, instead: T): T {
    this.report(key, value === undefined ? 'is missing' : `must be ${expected}, but is ${shownJson(value)}`)
    return instead
  }
}

/** With Cinder's message. */
function unsupportedVersion(version: string, subject: JsonSubject): BackupError {
  const shown = version.length > 100 ? `${version.slice(0, 100)}…` : version
  return new BackupError(
    'VERSION_UNSUPPORTED',
    `No support to restore backup version ${shown}. Stowage reads version ${FORMAT_VERSION}: use the program that wrote ${JSON.stringify(subject.objectName ?? 'it')}, or a newer Stowage.`,
    detailsOf(subject),
  )
}
