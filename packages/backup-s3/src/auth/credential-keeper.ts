import { BackupError, isBackupError, throwIfAborted } from '@stowage/backup-core'
import { keysProblem, type S3Credentials, type S3CredentialSource } from './credentials.js'

/** As the AWS SDK does. */
const renewBeforeMs = 5 * 60_000

/** Keys are used for so long before their end if no new ones can be had. */
const minLeftMs = 30_000

/** Keeps keys until they are about to expire, and requests new ones once for all requests that wait. */
export class CredentialKeeper {
  readonly #source: S3CredentialSource
  #current: S3Credentials | undefined
  #asking: Promise<S3Credentials> | undefined

  constructor(source: S3CredentialSource) {
    this.#source = source
  }

  /** @throws `AUTH_FAILED` if the function that returns keys fails, or returns none */
  async get(signal?: AbortSignal): Promise<S3Credentials> {
    throwIfAborted(signal, 'Getting the keys for S3')
    const current = this.#current
    if (!current) return this.#request()
    const leftMs = (current.expiration?.getTime() ?? Infinity) - Date.now()
    if (leftMs > renewBeforeMs) return current
    return this.#request().catch((error: unknown) => {
      // A fault of the function for a few seconds must not end a backup of hours.
      if (leftMs > minLeftMs) return current
      throw error
    })
  }

  /** Returns other keys than those that the store refused; undefined if there are no others. */
  async replace(refused: S3Credentials): Promise<S3Credentials | undefined> {
    if (typeof this.#source !== 'function') return undefined
    if (this.#current && this.#current !== refused) return this.#current
    const fresh = await this.#request()
    const isSame =
      fresh.accessKeyId === refused.accessKeyId &&
      fresh.secretAccessKey === refused.secretAccessKey &&
      fresh.sessionToken === refused.sessionToken
    return isSame ? undefined : fresh
  }

  /** The secrets of the current keys, which no error may quote. */
  get secrets(): readonly string[] {
    const { secretAccessKey, sessionToken } = this.#current ?? {}
    return [secretAccessKey ?? '', sessionToken ?? '']
  }

  async #request(): Promise<S3Credentials> {
    this.#asking ??= credentialsFrom(this.#source).finally(() => {
      this.#asking = undefined
    })
    this.#current = await this.#asking
    return this.#current
  }
}

async function credentialsFrom(source: S3CredentialSource): Promise<S3Credentials> {
  if (typeof source !== 'function') return source
  let keys: unknown
  try {
    keys = await source()
  } catch (cause) {
    if (isBackupError(cause)) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BackupError(
      'AUTH_FAILED',
      `Getting the keys for S3 failed: the function of the option credentials failed: ${why}`,
      { cause },
    )
  }
  const problem = keysProblem(keys)
  if (problem !== undefined) {
    throw new BackupError(
      'AUTH_FAILED',
      `Getting the keys for S3 failed: the function of the option credentials returned no valid keys: ${problem}.`,
    )
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = keys as S3Credentials
  return {
    accessKeyId,
    secretAccessKey,
    ...(typeof sessionToken === 'string' ? { sessionToken } : {}),
    ...(expiration instanceof Date ? { expiration } : {}),
  }
}
