import { BackupError, isBackupError } from '@stowage/backup-core'
import type { StoreOptions } from '@stowage/backup-core'
import { AttemptFailure } from '../http/attempt-failure.js'
import { collect } from '../http/body-sinks.js'
import { bodyOf } from '../http/request-body.js'
import { statusMeaning } from '../http/statuses.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './swift-transport.js'

/**
 * Deletes objects by Swift's bulk request, and returns the names that are to be deleted one by one: those it could
 * not delete, or all of them where this cluster does not understand the request.
 */
export async function bulkDelete(
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
        accept: (status) => status === 200,
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
    // Some gateways know no bulk delete, whatever /info says.
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
    // Spaces come ahead of it, to keep the connection alive.
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
    new BackupError(meaning.code, `${what} failed (status ${status} inside a 200). ${meaning.advice}`, {
      status,
    }),
    meaning.retry,
  )
}

/** The server may write a path's encoding in its own way. */
function normalPath(path: string): string {
  try {
    return decodeURIComponent(path).split('/').map(encodeURIComponent).join('/')
  } catch {
    return path
  }
}
