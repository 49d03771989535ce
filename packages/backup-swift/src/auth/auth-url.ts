import { BackupError } from '@stowage/backup-core'

/** Where a request goes: an origin, and a path that is sent as it is. */
export interface Address {
  readonly origin: string
  readonly path: string
}

/**
 * The parts of a URL from the user's hands.
 *
 * @throws `OPTION_INVALID` unless it is http or https, without user and password.
 */
export function addressOf(text: string, option: string): Address {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // Node's own error holds the text, in which a password may be.
    throw new BackupError('OPTION_INVALID', `${option} is not a URL.`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new BackupError('OPTION_INVALID', `${option} has to begin with http:// or https://.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new BackupError(
      'OPTION_INVALID',
      `${option} holds a user or a password: give them by options of their own.`,
    )
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') }
}

/** The address of one version of Keystone: its URL may end in that version, or have none. */
export function keystoneAddress(authUrl: string, version: 'v2.0' | 'v3'): Address {
  const { origin, path } = addressOf(authUrl, 'backupSwiftAuthUrl (auth_url)')
  const bare = path.replace(/\/v(?:2(?:\.0)?|3(?:\.\d+)?)$/, '')
  return { origin, path: `${bare}/${version}` }
}
