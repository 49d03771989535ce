import { BackupError, isBackupError, throwIfAborted } from '@stowage/backup-core'
import type { S3Credentials, S3CredentialSource } from './credentials.js'

/** As the AWS SDK does. */
const renewBeforeMs = 5 * 60_000

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
    const { expiration } = this.#current ?? {}
    if (this.#current && (!expiration || expiration.getTime() - Date.now() > renewBeforeMs))
      return this.#current
    return this.#request()
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
    const { message } = cause as Error
    throw new BackupError(
      'AUTH_FAILED',
      `Getting the keys for S3 failed: the function of the option credentials failed: ${message}`,
      { cause },
    )
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = (keys ?? {}) as Partial<
    Record<keyof S3Credentials, unknown>
  >
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') {
    throw new BackupError(
      'AUTH_FAILED',
      'Getting the keys for S3 failed: the function of the option credentials returned no accessKeyId and secretAccessKey.',
    )
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(typeof sessionToken === 'string' ? { sessionToken } : {}),
    ...(expiration instanceof Date ? { expiration } : {}),
  }
}
