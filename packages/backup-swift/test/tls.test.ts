import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../src/testing/index.js'
import { demoPassword, fast } from './support.js'

describe('TLS', () => {
  const file = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

  it('trusts the authority in the file, warns once where nothing is checked, and names the option otherwise', async () => {
    const tls = {
      key: await readFile(file('tls.key'), 'utf8'),
      cert: await readFile(file('tls.crt'), 'utf8'),
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
    await using trusting = new SwiftBackupDriver({ ...options, backupSwiftCaCertFile: file('tls.crt') })
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

  it('says which certificate file cannot be read', () => {
    assert.throws(
      () => new SwiftBackupDriver({ context: { authToken: 't' }, backupSwiftCaCertFile: '/nowhere/ca.pem' }),
      /backup_swift_ca_cert_file.*nowhere/,
    )
  })
})
