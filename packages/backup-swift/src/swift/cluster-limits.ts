import { isBackupError, type StoreOptions } from '@stowage/backup-core'
import { collect } from '../http/bodies.js'
import type { SwiftTransport } from './transport.js'

/** What a cluster says of itself at `/info`. */
export interface ClusterLimits {
  /** The largest object, in bytes. Swift's own default where the cluster does not say. */
  readonly maxFileSizeBytes: number
  /** How many objects one request may delete; 0 where the cluster has no bulk delete. */
  readonly maxDeletesPerRequest: number
}

const swiftsDefaults: ClusterLimits = { maxFileSizeBytes: 5 * 1024 ** 3 + 2, maxDeletesPerRequest: 0 }

/** Asks the cluster for its limits. A cluster without `/info`, as some gateways and proxies are, has Swift's. */
export async function getClusterLimits(
  transport: SwiftTransport,
  { signal }: StoreOptions = {},
): Promise<ClusterLimits> {
  try {
    const { value } = await transport.send(
      {
        method: 'GET',
        path: '',
        serverPath: (accountPath) => `${accountPath.replace(/\/v1(?:\.0)?(?:\/.*)?$/, '')}/info`,
        headers: { accept: 'application/json' },
        what: 'Asking for the cluster’s limits',
        accept: (status) => status === 200,
        sink: () => collect(1024 * 1024),
      },
      signal,
      { retries: 2 },
    )
    return limitsOf(value)
  } catch (error) {
    // Only the cluster's own silence is forgiven: not an abort, nor a sign-in that failed.
    if (isBackupError(error) && error.details.status !== undefined && error.details.status !== 401)
      return swiftsDefaults
    throw error
  }
}

function limitsOf(bytes: Buffer): ClusterLimits {
  let info: unknown
  try {
    info = JSON.parse(bytes.toString('utf8'))
  } catch {
    return swiftsDefaults
  }
  return {
    maxFileSizeBytes: numberAt(info, 'swift', 'max_file_size') ?? swiftsDefaults.maxFileSizeBytes,
    maxDeletesPerRequest: numberAt(info, 'bulk_delete', 'max_deletes_per_request') ?? 0,
  }
}

function numberAt(info: unknown, section: string, key: string): number | undefined {
  const value = property(property(info, section), key)
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}
