import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/**
 * Makes a private CA, a certificate of it for 127.0.0.1 and localhost, and a second CA that signed nothing, for tests
 * that must fail.
 */
export function makeCertificates(directory) {
  const file = (name) => join(directory, name)
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const makeCa = (name, subject) => {
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]
    openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${subject}`, ...out)
  }
  makeCa('ca', 'Stowage lab CA')
  makeCa('other-ca', 'Another CA')
  openssl(
    'req',
    ...newKey,
    '-subj',
    '/CN=localhost',
    '-keyout',
    file('server.key'),
    '-out',
    file('server.csr'),
  )
  writeFileSync(
    file('server.ext'),
    'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n',
  )
  const signer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '30']
  openssl(
    'x509',
    '-req',
    '-in',
    file('server.csr'),
    ...signer,
    '-extfile',
    file('server.ext'),
    '-out',
    file('server.crt'),
  )
  return {
    caCertFile: file('ca.crt'),
    otherCaCertFile: file('other-ca.crt'),
    certFile: file('server.crt'),
    keyFile: file('server.key'),
  }
}
