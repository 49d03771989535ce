import type { SwiftCredentials } from '../auth/credentials.js'
import type { SwiftDriverOptions } from './options.js'

/** All secrets of the options: passwords, keys and tokens. No error quotes one of them from a server's answer. */
export function secretsOf(options: SwiftDriverOptions): string[] {
  const { credentials, serviceCredentials, backupSwiftKey, context } = options
  const all = [
    backupSwiftKey,
    context?.authToken,
    ...secretsOfCredentials(credentials),
    ...secretsOfCredentials(serviceCredentials),
  ]
  return all.flatMap((secret) => (secret === undefined || secret === '' ? [] : [secret]))
}

function secretsOfCredentials(credentials: SwiftCredentials | undefined): (string | undefined)[] {
  switch (credentials?.method) {
    case undefined:
      return []
    case 'v1':
      return [credentials.key]
    case 'keystone-v2':
      return [credentials.password, credentials.token]
    case 'password':
      return [credentials.password]
    case 'token':
    case 'given-token':
      return [credentials.token]
    case 'application-credential':
      return [credentials.secret]
  }
}
