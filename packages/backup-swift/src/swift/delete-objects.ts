import { BackupError, isBackupError, type FailedDelete, type StoreOptions } from '@stowage/backup-core'
import { AttemptFailure, bodyOf, collect, deleteOneByOne, statusMeaning } from '@stowage/http'
import { objectPath } from './names.js'
import { swiftObjects } from './swift-objects.js'
import type { SwiftTransport } from './transport.js'

/** The maximum number of objects in a bulk request, so that none takes minutes. */
const maxBulkNames = 1000

/**
 * Deletes objects, in bulk if the cluster supports it, else a few concurrently, and returns those that could not be deleted.
 * `maxDeletes` returns the limit of one request; 0 or 1 without bulk delete.
 */
export async function deleteObjects(
  transport: SwiftTransport,
  container: string,
  objectNames: readonly string[],
  maxDeletes: () => Promise<number>,
  options: StoreOptions = {},
): Promise<FailedDelete[]> {
  const left =
    objectNames.length > 1
      ? await deleteInBulk(transport, container, objectNames, maxDeletes, options)
      : objectNames
  return deleteOneByOne(swiftObjects(transport), container, left, options)
}

/** Deletes what it can by bulk requests, and returns the names that are left to be deleted one by one. */
async function deleteInBulk(
  transport: SwiftTransport,
  container: string,
  objectNames: readonly string[],
  maxDeletes: () => Promise<number>,
  options: StoreOptions,
): Promise<readonly string[]> {
  const left: string[] = []
  let done = 0
  try {
    const batchNames = Math.min(await maxDeletes(), maxBulkNames)
    if (batchNames < 2) return objectNames
    for (; done < objectNames.length; done += batchNames) {
      const batch = objectNames.slice(done, done + batchNames)
      left.push(...(await bulkDelete(transport, container, batch, options)))
    }
    return left
  } catch (error) {
    if (isBackupError(error, 'ABORTED') || isBackupError(error, 'CLOSED')) throw error
    // Each object is then deleted separately, with an error of its own if that fails.
    return [...left, ...objectNames.slice(done)]
  }
}

/**
 * Deletes objects by Swift's bulk request, and returns the names that are to be deleted one by one: those it could
 * not delete, or all of them where this cluster does not understand the request.
 */
async function bulkDelete(
  transport: SwiftTransport,
  container: string,
  objectNames: readonly string[],
  { signal }: StoreOptions = {},
): Promise<readonly string[]> {
  // A line with a container alone would delete the container: objectPath has no such result.
  const lines = objectNames.map((name) => objectPath(container, name))
  const what = `Deleting ${objectNames.length} objects from container ${container}`
  try {
    const { value } = await transport.send(
      {
        method: 'POST',
        path: '',
        query: 'bulk-delete',
        headers: { 'content-type': 'text/plain', accept: 'application/json' },
        body: bodyOf(Buffer.from(`${lines.join('\n')}\n`)),
        isPaced: true,
        what,
        details: { container },
        accept: [200],
        sink: () => {
          const sink = collect(16 * 1024 * 1024)
          return { push: sink.push, end: () => reportOf(sink.end(), what) }
        },
      },
      signal,
    )
    const failed = new Set(value.failedPaths)
    return value.understood
      ? objectNames.filter((_name, index) => failed.has(lines[index] ?? ''))
      : objectNames
  } catch (error) {
    // Some gateways do not support bulk delete, even if /info announces it.
    if (isBackupError(error) && [400, 404, 405, 411, 412, 501].includes(error.details.status ?? 0))
      return objectNames
    throw error
  }
}

interface BulkReport {
  readonly understood: boolean
  readonly failedPaths: readonly string[]
}

/** Reads the report. Its own status counts: the answer's is always 200, also for a token that is refused. */
function reportOf(bytes: Buffer, what: string): BulkReport {
  let report: unknown
  try {
    // Spaces precede it, to keep the connection alive.
    report = JSON.parse(bytes.toString('utf8').trim())
  } catch {
    return { understood: false, failedPaths: [] }
  }
  if (typeof report !== 'object' || report === null) return { understood: false, failedPaths: [] }
  const fields = report as Record<string, unknown>
  const status = Number.parseInt(String(fields['Response Status']), 10)
  const errors: unknown = fields['Errors']
  if (status >= 200 && status < 300 && Array.isArray(errors) && errors.length === 0) {
    return { understood: true, failedPaths: [] }
  }
  if (Array.isArray(errors) && errors.length > 0) {
    const failedPaths = errors.map((error: unknown) =>
      Array.isArray(error) ? normalPath(String(error[0])) : '',
    )
    return { understood: true, failedPaths }
  }
  if (!Number.isInteger(status)) return { understood: false, failedPaths: [] }
  const meaning = statusMeaning(status)
  throw new AttemptFailure(
    new BackupError(meaning.code, `${what} failed (status ${status} inside a 200). ${meaning.text}`, {
      status,
    }),
    meaning.retry,
  )
}

/** Returns a path with our percent-encoding, which may differ from the server's. */
function normalPath(path: string): string {
  try {
    return decodeURIComponent(path).split('/').map(encodeURIComponent).join('/')
  } catch {
    return path
  }
}
