import { isBackupError, type StoreOptions } from '@stowage/backup-core'
import { collect, discard } from '@stowage/http'
import { containerPath } from './names.js'
import type { SwiftTransport } from './transport.js'

/** Requests the account; rejects with `FORBIDDEN` if the token does not grant access to it. */
export async function headAccount(transport: SwiftTransport, { signal }: StoreOptions = {}): Promise<void> {
  const request = {
    method: 'HEAD',
    path: '',
    what: 'Checking the account',
    accept: [204, 200],
    sink: discard,
  } as const
  await transport.send(request, signal)
}

/** Returns the storage policy of a container; undefined if the container does not exist. */
export async function headContainer(
  transport: SwiftTransport,
  container: string,
  { signal }: StoreOptions = {},
): Promise<{ readonly policy: string | undefined } | undefined> {
  const { head } = await transport.send(
    {
      method: 'HEAD',
      path: containerPath(container),
      what: `Checking container ${container}`,
      details: { container },
      accept: [204, 200, 404],
      sink: discard,
    },
    signal,
  )
  if (head.status === 404) return undefined
  const policy = head.headers['x-storage-policy']
  return { policy: typeof policy === 'string' ? policy : undefined }
}

/** Creates a container; an existing one stays unchanged. */
export async function putContainer(
  transport: SwiftTransport,
  container: string,
  policy: string | undefined,
  { signal }: StoreOptions = {},
): Promise<void> {
  const what = `Creating container ${container}`
  await transport.send(
    {
      method: 'PUT',
      path: containerPath(container),
      headers: policy === undefined ? {} : { 'x-storage-policy': policy },
      what,
      details: { container },
      accept: [201, 202, 204],
      sink: discard,
      refusal: (status) => {
        if (status === 400 && policy !== undefined) {
          const message = `${what} failed: the cluster has no storage policy ${policy}. Correct backupSwiftCreateStoragePolicy.`
          return { code: 'OPTION_INVALID', message }
        }
        if (status !== 409) return undefined
        return { code: 'CONFLICT', message: `${what} failed: it exists with another storage policy.` }
      },
    },
    signal,
  )
}

/** The limits that a cluster reports at `/info`. */
export interface ClusterLimits {
  /** The size of the largest object, in bytes. */
  readonly maxFileSizeBytes: number
  /** The number of objects that one request may delete; 0 without bulk delete. */
  readonly maxDeletesPerRequest: number
}

/** Those of Swift itself, for a cluster that does not report them. */
const defaultLimits: ClusterLimits = { maxFileSizeBytes: 5 * 1024 ** 3 + 2, maxDeletesPerRequest: 0 }

/** Requests the limits of a cluster once, and keeps them. */
export class ClusterInfo {
  readonly #transport: SwiftTransport
  #limits: Promise<ClusterLimits> | undefined

  constructor(transport: SwiftTransport) {
    this.#transport = transport
  }

  async limits(options: StoreOptions = {}): Promise<ClusterLimits> {
    for (;;) {
      const limits = (this.#limits ??= requestLimits(this.#transport, options))
      try {
        return await limits
      } catch (error) {
        if (this.#limits === limits) this.#limits = undefined
        // An abort by the caller that sent the request is no failure for the others: one of them sends it again.
        if (!isBackupError(error, 'ABORTED') || options.signal?.aborted) throw error
      }
    }
  }
}

async function requestLimits(transport: SwiftTransport, { signal }: StoreOptions): Promise<ClusterLimits> {
  try {
    const { value } = await transport.send(
      {
        method: 'GET',
        path: '',
        serverPath: (accountPath) => `${accountPath.replace(/\/v1(?:\.0)?(?:\/.*)?$/, '')}/info`,
        headers: { accept: 'application/json' },
        what: 'Getting the limits of the cluster',
        accept: [200],
        sink: () => collect(1024 * 1024),
      },
      signal,
      { retries: 2 },
    )
    const info: unknown = JSON.parse(value.toString('utf8'))
    return {
      maxFileSizeBytes: numberAt(info, 'swift', 'max_file_size') ?? defaultLimits.maxFileSizeBytes,
      maxDeletesPerRequest: numberAt(info, 'bulk_delete', 'max_deletes_per_request') ?? 0,
    }
  } catch (error) {
    // Gateways and proxies may have no /info, or another one. An abort and a failed sign-in remain errors.
    if (error instanceof SyntaxError) return defaultLimits
    if (isBackupError(error) && ![undefined, 401].includes(error.details.status)) return defaultLimits
    throw error
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
