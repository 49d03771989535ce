import { BackupError } from '@stowage/backup-core'
import { makeTokenProvider } from './auth/providers.js'
import type { StorageEndpoint } from './auth/catalog.js'
import { TokenKeeper } from './auth/token-keeper.js'
import type { SwiftDriverOptions } from './config/options.js'
import type { ResolvedSwiftOptions } from './config/resolve-options.js'
import { credentialsFrom, secretsOf } from './config/sign-in.js'
import { ConnectionPool } from './http/connection-pool.js'
import { HttpClient } from './http/client.js'
import { SwiftClient } from './swift/swift-client.js'
import { SwiftTransport } from './swift/transport.js'

/** A client, and how to end all that it holds. */
export interface Connection {
  readonly client: SwiftClient
  readonly close: () => Promise<void>
}

/**
 * Puts the layers together: connections, requests, tokens, Swift. Sends nothing yet.
 *
 * @throws `OPTION_INVALID` where the options do not say how to sign in.
 */
export function connect(options: SwiftDriverOptions, resolved: ResolvedSwiftOptions): Connection {
  const http = new HttpClient({
    pool: new ConnectionPool(resolved.connection),
    timeouts: resolved.timeouts,
    retry: resolved.retry,
    secrets: secretsOf(options),
    ...(options.onRetry ? { onRetry: options.onRetry } : {}),
  })
  const provider =
    options.tokenProvider ?? makeTokenProvider(credentialsFrom(options), http, resolved.endpoint)
  const tokens = new TokenKeeper(provider)
  const serviceTokens = serviceKeeper(options, http, resolved.endpoint)
  const client = new SwiftClient(new SwiftTransport(http, { tokens, serviceTokens }))
  return {
    client,
    close: async () => {
      tokens.close()
      serviceTokens?.close()
      await http.close()
    },
  }
}

function serviceKeeper(
  { backupSwiftServiceAuth, serviceCredentials }: SwiftDriverOptions,
  http: HttpClient,
  endpoint: StorageEndpoint,
): TokenKeeper | undefined {
  if (!backupSwiftServiceAuth) return undefined
  if (!serviceCredentials) {
    throw new BackupError(
      'OPTION_INVALID',
      'backupSwiftServiceAuth (backup_swift_service_auth) needs serviceCredentials (the group [service_user]).',
    )
  }
  // A service token opens no account of its own: no endpoint has to be found for it.
  return new TokenKeeper(makeTokenProvider(serviceCredentials, http, { ...endpoint, storageUrl: 'service:' }))
}
