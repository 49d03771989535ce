import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

describe('TLS', () => {
  const file = (name: string): string =>
    fileURLToPath(new URL(`../../../test-fixtures/tls/${name}`, import.meta.url))

  it('trusts the authority in the file, warns once where nothing is checked, and names the option otherwise', async () => {
    const tls = {
      key: await readFile(file('server.key'), 'utf8'),
      cert: await readFile(file('server.crt'), 'utf8'),
    }
    await using cloud = await TestCloud.start({ tls })
    const warnings: string[] = []
    const options = {
      ...fast,
      credentials: demoPassword(cloud),
      onWarning: ({ message }: { readonly message: string }) => {
        warnings.push(message)
      },
    }
    await using trusting = new SwiftBackupDriver({ ...options, backupSwiftCaCertFile: file('server.crt') })
    await trusting.checkForSetupError()
    assert.deepEqual(warnings, [])
    await using insecure = new SwiftBackupDriver({ ...options, backupSwiftAuthInsecure: true })
    await insecure.checkForSetupError()
    assert.equal(warnings.length, 1)
    await using strict = new SwiftBackupDriver(options)
    await assert.rejects(strict.checkForSetupError(), (error) => {
      assert.ok(isBackupError(error, 'TLS_FAILED'), String(error))
      assert.match(error.message, /backup_swift_ca_cert_file/)
      return true
    })
  })

  const cases = [
    ['expired', 'expired.crt', 'authority.crt', 'CERT_HAS_EXPIRED', /has expired\. Renew it/],
    [
      'not yet valid',
      'not-yet-valid.crt',
      'authority.crt',
      'CERT_NOT_YET_VALID',
      /not valid yet\. Set the clock/,
    ],
    [
      'for another name',
      'wrong-name.crt',
      'authority.crt',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /other names than 127\.0\.0\.1: DNS:other\.example\. Use one of its names/,
    ],
    [
      'of an unknown authority',
      'signed.crt',
      undefined,
      'UNABLE_TO_',
      /no trusted authority signed.*backup_swift_ca_cert_file/,
    ],
    [
      'signed by itself',
      'server.crt',
      undefined,
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      /signed its certificate itself.*backup_swift_ca_cert_file/,
    ],
  ] as const
  for (const [what, cert, authority, code, message] of cases) {
    it(`says that a certificate is ${what}, with the code and what to do`, async () => {
      const tls = {
        key: await readFile(file('server.key'), 'utf8'),
        cert: await readFile(file(cert), 'utf8'),
      }
      await using cloud = await TestCloud.start({ tls })
      await using driver = new SwiftBackupDriver({
        ...fast,
        credentials: demoPassword(cloud),
        ...(authority === undefined ? {} : { backupSwiftCaCertFile: file(authority) }),
      })
      await assert.rejects(driver.checkForSetupError(), (error) => {
        assert.ok(isBackupError(error, 'TLS_FAILED'), String(error))
        assert.match(error.message, message)
        assert.ok(error.message.includes(`(${code}`), error.message)
        return true
      })
    })
  }

  it('trusts a certificate that the authority in the file signed', async () => {
    const tls = {
      key: await readFile(file('server.key'), 'utf8'),
      cert: await readFile(file('signed.crt'), 'utf8'),
    }
    await using cloud = await TestCloud.start({ tls })
    const credentials = demoPassword(cloud)
    const options = { ...fast, credentials, backupSwiftCaCertFile: file('authority.crt') }
    await using driver = new SwiftBackupDriver(options)
    await driver.checkForSetupError()
    assert.ok(cloud.requests.some(({ service }) => service === 'swift'))
  })

  it('says that a server does not speak TLS', async () => {
    await using cloud = await TestCloud.start()
    const keystoneUrl = cloud.keystoneUrl.replace('http:', 'https:')
    await using driver = new SwiftBackupDriver({ ...fast, credentials: demoPassword({ keystoneUrl }) })
    await assert.rejects(driver.checkForSetupError(), /does not speak TLS.*scheme/)
  })

  it('says which certificate file cannot be read', () => {
    assert.throws(
      () => new SwiftBackupDriver({ context: { authToken: 't' }, backupSwiftCaCertFile: '/nowhere/ca.pem' }),
      /nowhere.*backup_swift_ca_cert_file/,
    )
  })
})
