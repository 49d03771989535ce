import type { JsonValue } from '../contracts/records.js'
import { BackupError, type BackupErrorCode } from '../errors/backup-error.js'

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
