import type { HttpClient } from '../http/http-client.js'
import type { SwiftCredentials } from './credentials.js'
import { GivenTokenProvider } from './given-token.js'
import { KeystoneV2TokenProvider } from './keystone-v2.js'
import { KeystoneV3TokenProvider } from './keystone-v3.js'
import type { StorageEndpoint } from './storage-endpoint.js'
import type { TokenProvider } from './token-provider.js'
import { V1TokenProvider } from './v1.js'

/** The provider for credentials of any kind. */
export function makeTokenProvider(
  credentials: SwiftCredentials,
  http: HttpClient,
  endpoint: StorageEndpoint,
): TokenProvider {
  switch (credentials.method) {
    case 'v1':
      return new V1TokenProvider(credentials, http, endpoint.storageUrl)
    case 'keystone-v2':
      return new KeystoneV2TokenProvider(credentials, http, endpoint)
    case 'password':
    case 'token':
    case 'application-credential':
      return new KeystoneV3TokenProvider(credentials, http, endpoint)
    case 'given-token':
      return new GivenTokenProvider(credentials, endpoint)
  }
}
