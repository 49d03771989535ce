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
  readonly only?: 'sign-in' | 'listing' | 'object-get' | 'object-put' | 'with-body'
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
  status(401, 'Unauthorized', ['success', 'AUTH_FAILED'], ['AUTH_FAILED']),
  {
    ...status(403, 'Forbidden', ['FORBIDDEN', 'AUTH_FAILED'], ['FORBIDDEN', 'AUTH_FAILED']),
    listing: ['success'],
  },
  status(408, 'Request Timeout', ['success'], unavailable),
  status(
    413,
    'Request Entity Too Large',
    ['QUOTA_EXCEEDED', 'OBJECT_TOO_LARGE'],
    ['QUOTA_EXCEEDED', 'OBJECT_TOO_LARGE'],
  ),
  status(429, 'Too Many Requests', ['success'], ['RATE_LIMITED']),
  status(498, 'Slow down', ['success'], ['RATE_LIMITED']),
  status(499, 'Client Disconnect', ['success'], unavailable),
  status(500, 'Internal Error', ['success'], unavailable),
  status(502, 'Bad Gateway', ['success'], unavailable),
  status(503, 'Service Unavailable', ['success'], unavailable),
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
    name: 'a listing that lags',
    fault: { kind: 'lagging-listing' },
    only: 'listing',
    // What a listing does not show yet cannot be found by its id.
    once: ['success', 'BACKUP_NOT_FOUND'],
    always: ['success', 'BACKUP_NOT_FOUND'],
  },
  {
    name: 'a page of a listing that repeats',
    fault: { kind: 'repeated-page' },
    only: 'listing',
    once: ['success', 'LISTING_INVALID', 'DELETE_INCOMPLETE'],
    always: ['success', 'LISTING_INVALID', 'DELETE_INCOMPLETE'],
  },
  {
    name: 'a listing that is not JSON',
    fault: { kind: 'garbage' },
    only: 'listing',
    // A container that is not there yet has no listing to spoil.
    once: ['success', 'LISTING_INVALID', 'DELETE_INCOMPLETE'],
    always: ['success', 'LISTING_INVALID', 'DELETE_INCOMPLETE'],
  },
  {
    name: 'a sign-in response that is not JSON',
    fault: { kind: 'garbage' },
    only: 'sign-in',
    once: ['AUTH_FAILED'],
    always: ['AUTH_FAILED'],
  },
  {
    name: 'all tokens revoked',
    fault: { kind: 'revoke-tokens' },
    once: ['success'],
    always: ['success', 'AUTH_FAILED'],
  },
]

/**
 * Requests that the operation can do without: whatever happens to them, it may end well. A cluster that does not tell
 * its limits has Swift's; an account that may not be listed has the container that was named; what a bulk delete does
 * not do is done one by one; a DELETE whose answers are all lost is looked after, and what is gone is deleted.
 */
export const dispensable: readonly RegExp[] = [
  /^GET info$/,
  /^POST bulk-delete$/,
  /^GET account$/,
  /^DELETE object/,
]
