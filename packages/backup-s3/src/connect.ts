import { HttpClient, withoutUndefined } from '@stowage/http'
import { CredentialKeeper } from './auth/credential-keeper.js'
import { cinderFlags, type S3DriverOptions } from './config/options.js'
import type { ResolvedS3Options } from './config/resolve-options.js'
import { S3Transport } from './s3/transport.js'

/** Creates the transport of a driver, with its connections and keys. Sends no request. */
export function connect(options: S3DriverOptions, resolved: ResolvedS3Options): S3Transport {
  const { connection, timeouts, retry, credentials, encryption, endpoint } = resolved
  const http = new HttpClient({
    ...{ connection, timeouts, retry },
    secrets: [...secretsOf(options), ...Object.values(encryption).filter((text) => text !== 'AES256')],
    optionNames: {
      caCertificates: 'backupS3CaCertFile (backup_s3_ca_cert_file)',
      clientCertificate: 'clientCertFile and clientKeyFile',
      insecure: 'backupS3VerifySsl (backup_s3_verify_ssl) = false, not',
    },
    ...withoutUndefined({ onRetry: options.onRetry }),
  })
  return new S3Transport(http, new CredentialKeeper(credentials), endpoint)
}

/** Every secret of the options, which no error may quote from a server's response. */
function secretsOf(options: S3DriverOptions): string[] {
  const { credentials } = options
  const keys = typeof credentials === 'object' ? credentials : undefined
  const secrets = [
    ...cinderFlags.map(([name, { secret }]) => (secret ? options[name] : undefined)),
    keys?.secretAccessKey,
    keys?.sessionToken,
  ]
  return secrets.filter((secret): secret is string => typeof secret === 'string' && secret !== '')
}
