import type { NetworkFailure } from './network-failures.js'

const certificateCodes =
  /^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/

const unknownAuthority =
  'no trusted authority signed the certificate of the server. Set backupSwiftCaCertFile (backup_swift_ca_cert_file) to a ' +
  'file with the certificate of the authority that did; where the server leaves out an intermediate certificate, with that too'

const byCode: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'a certificate of the server has expired. Renew it, or set the clock of this machine if it is wrong',
  CERT_NOT_YET_VALID:
    'a certificate of the server is not valid yet. Set the clock of this machine if it is wrong, or wait until it is',
  CERT_REVOKED: 'the certificate of the server was revoked. Replace it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'the server signed its certificate itself, and it is not trusted. Set backupSwiftCaCertFile ' +
    '(backup_swift_ca_cert_file) to a file with that certificate',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'the server does not speak TLS at this port. Check the scheme and the port of the URL',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'the server does not speak TLS at this port. Check the scheme and the port of the URL',
}

/** What an error of TLS means, and what to do about it; undefined for an error of anything else. */
export function tlsFailureOf(error: Error, code: string): NetworkFailure | undefined {
  if (!certificateCodes.test(code)) return undefined
  const text =
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? wrongName(error)
      : /ALERT.*CERTIFICATE|CERTIFICATE_REQUIRED/.test(code)
        ? 'the server refuses the client certificate, or wants one. Set clientCertFile and clientKeyFile'
        : (byCode[code] ??
          'no trusted TLS connection could be made. Set backupSwiftCaCertFile (backup_swift_ca_cert_file) to the file ' +
            'with the certificate of the authority that signed the server’s, or check that the URL and its scheme are right')
  const asLast =
    code === 'EPROTO' || code.startsWith('ERR_SSL_')
      ? ''
      : '. backupSwiftAuthInsecure (backup_swift_auth_insecure) = true turns the check off'
  return { code: 'TLS_FAILED', retry: 'never', text: `${text} (${code})${asLast}` }
}

function wrongName(error: Error): string {
  const host = 'host' in error && typeof error.host === 'string' ? error.host : 'the host'
  const names = subjectNames(error)
  return (
    `the certificate of the server is for other names than ${host}${names === '' ? '' : `: ${names}`}. Use one of its ` +
    'names in the URL, or give the server a certificate with this one'
  )
}

/** The names in a certificate, cut: the server chose them. */
function subjectNames(error: Error): string {
  const cert: unknown = 'cert' in error ? error.cert : undefined
  const names: unknown =
    typeof cert === 'object' && cert !== null && 'subjectaltname' in cert ? cert.subjectaltname : ''
  return typeof names === 'string' ? names.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) : ''
}
