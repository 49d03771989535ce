import { BackupError } from '@stowage/backup-core'
import { makeTokenProvider } from './auth/providers.js'
import { TokenKeeper } from './auth/token-keeper.js'
import type { SwiftDriverOptions } from './config/options.js'
import type { ResolvedSwiftOptions } from './config/resolve-options.js'
import { credentialsFrom, secretsOf } from './config/sign-in.js'
import { HttpClient, withoutUndefined } from '@stowage/http'
import { SwiftTransport } from './swift/transport.js'

/**
 * Creates the transport of a driver, with its connections and tokens. Sends no request.
 *
 * @throws `OPTION_INVALID` if the options do not determine how to sign in
 */
export function connect(options: SwiftDriverOptions, resolved: ResolvedSwiftOptions): SwiftTransport {
  const { connection, timeouts, retry, endpoint } = resolved
  const http = new HttpClient({
    ...{ connection, timeouts, retry },
    secrets: secretsOf(options),
    optionNames: {
      caCertificates: 'backupSwiftCaCertFile (backup_swift_ca_cert_file)',
      clientCertificate: 'clientCertFile and clientKeyFile',
      insecure: 'backupSwiftAuthInsecure (backup_swift_auth_insecure)',
    },
    ...withoutUndefined({ onRetry: options.onRetry }),
  })
  const { tokenProvider, backupSwiftServiceAuth, serviceCredentials } = options
  const tokens = new TokenKeeper(tokenProvider ?? makeTokenProvider(credentialsFrom(options), http, endpoint))
  if (!backupSwiftServiceAuth) return new SwiftTransport(http, tokens)
  if (!serviceCredentials) {
    throw new BackupError(
      'OPTION_INVALID',
      'backupSwiftServiceAuth (backup_swift_service_auth) is true, but serviceCredentials (the group [service_user]) is not set.',
    )
  }
  // A service token opens no account of its own, so needs no endpoint.
  const service = makeTokenProvider(serviceCredentials, http, { ...endpoint, storageUrl: 'service:' })
  return new SwiftTransport(http, tokens, new TokenKeeper(service))
}
