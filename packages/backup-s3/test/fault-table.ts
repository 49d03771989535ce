import type { BackupErrorCode } from '@stowage/backup-core'
import type { Fault } from '../../../test-fixtures/test-cloud/index.js'

/** How an operation may end: well, or with one error of one of these codes. */
export type Outcome = 'success' | BackupErrorCode

/** One row of the table in the README, and of the test that holds it. */
export interface FaultRow {
  /** As the README has it. */
  readonly name: string
  readonly fault: Fault
  /** The requests it can happen to; all where this is left out. */
  readonly only?: 'listing' | 'object-get' | 'object-put' | 'range-get' | 'with-body'
  /** How the operation may end when it happens to one request. */
  readonly once: readonly Outcome[]
  /** How else it may end when it happens to a listing: one that may not be read is left out, with a warning. */
  readonly listing?: readonly Outcome[]
  /** How it may end when it happens to that request each time it is repeated. */
  readonly always: readonly Outcome[]
}

const unavailable = ['STORE_UNAVAILABLE'] as const

function status(code: number, name: string, once: readonly Outcome[], always: readonly Outcome[]): FaultRow {
  return { name: `${code} ${name}`, fault: { kind: 'status', status: code }, once, always }
}

/** Every fault, and how a backup, a restore and a delete may end that meet it. */
export const faultTable: readonly FaultRow[] = [
  {
    name: 'reset before the request is read',
    fault: { kind: 'reset-before' },
    once: ['success'],
    always: unavailable,
  },
  { name: 'reset during the body', fault: { kind: 'reset-during' }, once: ['success'], always: unavailable },
  {
    name: 'reset after the body, the response lost',
    fault: { kind: 'reset-after' },
    once: ['success'],
    always: unavailable,
  },
  {
    name: 'reset in the response',
    fault: { kind: 'reset-in-answer' },
    only: 'with-body',
    once: ['success'],
    always: unavailable,
  },
  { name: 'stall without a response', fault: { kind: 'stall' }, once: ['success'], always: unavailable },
  {
    name: 'stall in the response',
    fault: { kind: 'stall-in-answer' },
    only: 'with-body',
    once: ['success'],
    always: unavailable,
  },
  { ...status(403, 'AccessDenied', ['FORBIDDEN'], ['FORBIDDEN']), listing: ['success'] },
  status(408, 'Request Timeout', ['success'], unavailable),
  status(429, 'Too Many Requests', ['success'], ['RATE_LIMITED']),
  status(500, 'InternalError', ['success'], unavailable),
  status(502, 'Bad Gateway', ['success'], unavailable),
  // A response to HEAD has no code, only the status.
  status(503, 'SlowDown', ['success'], ['RATE_LIMITED', 'STORE_UNAVAILABLE']),
  status(504, 'Gateway Timeout', ['success'], unavailable),
  status(507, 'Insufficient Storage', ['NO_SPACE'], ['NO_SPACE']),
  {
    name: 'done, but with the status 503',
    fault: { kind: 'status-after', status: 503 },
    once: ['success'],
    always: unavailable,
  },
  {
    name: 'a wrong ETag on PUT',
    fault: { kind: 'lying-etag' },
    only: 'object-put',
    once: ['success'],
    always: ['OBJECT_CORRUPT'],
  },
  {
    name: 'a wrong ETag on GET',
    fault: { kind: 'lying-etag' },
    only: 'object-get',
    once: ['success'],
    // A chunk has an MD5 of its own, which says more than the store's.
    always: ['success', 'OBJECT_CORRUPT'],
  },
  {
    name: 'a flipped byte in an object',
    fault: { kind: 'flipped-byte' },
    only: 'object-get',
    once: ['success'],
    always: ['OBJECT_CORRUPT'],
  },
  {
    name: 'a truncated body with a matching length',
    fault: { kind: 'short-body' },
    only: 'object-get',
    once: ['success'],
    always: ['OBJECT_CORRUPT', 'STORE_FAILED'],
  },
  {
    name: 'no Content-Length',
    fault: { kind: 'no-length' },
    only: 'object-get',
    once: ['success'],
    always: ['success', 'STORE_FAILED'],
  },
  {
    name: 'the whole object instead of a range',
    fault: { kind: 'ignored-range' },
    only: 'range-get',
    once: ['success'],
    always: ['STORE_FAILED'],
  },
  {
    name: 'a listing that is not XML',
    fault: { kind: 'garbage' },
    only: 'listing',
    once: ['success', 'LISTING_INVALID', 'DELETE_INCOMPLETE', 'STORE_FAILED'],
    always: ['success', 'LISTING_INVALID', 'DELETE_INCOMPLETE', 'STORE_FAILED'],
  },
]

/**
 * Requests that the operation can do without: whatever happens to them, it may end well. Keys for one bucket may not list
 * the others; what DeleteObjects does not do is done one by one; a DELETE whose responses are all lost is checked, and an
 * object that no longer exists is deleted.
 */
export const dispensable: readonly RegExp[] = [/^POST delete$/, /^GET buckets$/, /^DELETE object/]
