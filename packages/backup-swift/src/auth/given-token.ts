import { BackupError } from '@stowage/backup-core'
import type { GivenToken } from './credentials.js'
import type { StorageEndpoint } from './storage-endpoint.js'
import { storageUrlOf } from './storage-endpoint.js'
import type { AuthenticateOptions, SwiftAccess, TokenProvider } from './token-provider.js'

/** `per_user`: the caller's own token and catalog, and the caller's way to another token. */
export class GivenTokenProvider implements TokenProvider {
  readonly #given: GivenToken
  readonly #endpoint: StorageEndpoint

  constructor(given: GivenToken, endpoint: StorageEndpoint) {
    this.#given = given
    this.#endpoint = endpoint
  }

  async authenticate({ signal, previous }: AuthenticateOptions): Promise<SwiftAccess> {
    const given = this.#given
    const storageUrl = storageUrlOf(this.#endpoint, {
      projectId: given.projectId,
      catalog: given.serviceCatalog,
    })
    if (!previous) return { token: given.token, storageUrl, expiresAt: given.expiresAt ?? null }
    if (!given.renewToken) {
      throw new BackupError(
        'AUTH_EXPIRED',
        'The token that was given has expired or is not accepted, and nothing was given that gets another: pass ' +
          'context.renewToken, or sign in with credentials of your own (single_user).',
      )
    }
    const renewed = await given.renewToken(signal ? { signal } : {})
    const { token, expiresAt } =
      typeof renewed === 'string' ? { token: renewed, expiresAt: undefined } : renewed
    if (typeof token !== 'string' || token === '') {
      throw new BackupError('AUTH_EXPIRED', 'context.renewToken gave no token.')
    }
    return { token, storageUrl, expiresAt: expiresAt ?? null }
  }
}
