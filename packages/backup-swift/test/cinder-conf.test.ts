import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { fromCinderConf, getBackupDriver } from '../src/index.js'

describe('a cinder.conf and options beside it', () => {
  it('agree: what is said explicitly wins over the file, under either name', async () => {
    const cinderConf = [
      '[DEFAULT]',
      'backup_swift_container = from-file',
      'backup_swift_object_size = 65536',
      'backup_swift_block_size = 1024',
      'backup_compression_algorithm = zstd',
      'storage_availability_zone = east',
    ].join('\n')
    const context = { authToken: 't', serviceCatalog: [] }
    await using driver = await getBackupDriver({
      cinderConf,
      context,
      env: {},
      container: 'mine',
      backupSwiftBlockSize: 2048,
      backupCompressionAlgorithm: 'none',
    })
    assert.equal(driver.defaultContainer, 'mine')
    assert.equal(driver.chunkSizeBytes, 65_536)
    assert.equal(driver.blockSizeBytes, 2048)
    const backup = { id: 'b', volumeId: 'v', parentId: null, container: null, name: null, description: null }
    assert.match(driver.generateObjectNamePrefix({ ...backup, createdAt: new Date(0) }), /az_east_backup_b$/)
  })
})

describe('fromCinderConf', () => {
  const whole = `
# an operator's file
[DEFAULT]
enabled_backends = lvm
backup_driver = cinder.backup.drivers.swift.SwiftBackupDriver
backup_swift_url = http://swift.example:8080/v1/AUTH_
backup_swift_auth = single_user
backup_swift_auth_version = 2.0
backup_swift_user: "backup"
backup_swift_key = pa$$word # not a comment
backup_swift_object_size = 33_554_432
backup_swift_retry_attempts = 3
backup_create_containers = off
backup_swift_ca_cert_file = $state_path/ca.pem
backup_swift_service_auth = yes

[lvm]
backup_swift_url = http://elsewhere/

[service_user]
send_service_user_token = True
auth_url = http://keystone.example/identity
username = cinder
password = secret
user_domain_name = Default
project_name = service
project_domain_name = Default
`

  it('takes each flag of [DEFAULT] under its own name, and the service user', () => {
    assert.deepEqual(fromCinderConf(whole), {
      backupSwiftUrl: 'http://swift.example:8080/v1/AUTH_',
      backupSwiftAuth: 'single_user',
      backupSwiftAuthVersion: '2',
      backupSwiftUser: 'backup',
      backupSwiftKey: 'pa$word # not a comment',
      backupSwiftObjectSize: 33_554_432,
      backupSwiftRetryAttempts: 3,
      backupCreateContainers: false,
      backupSwiftCaCertFile: '/var/lib/cinder/ca.pem',
      backupSwiftServiceAuth: true,
      serviceCredentials: {
        method: 'password',
        authUrl: 'http://keystone.example/identity',
        username: 'cinder',
        userDomain: { name: 'Default' },
        password: 'secret',
        scope: { project: { name: 'service', domain: { name: 'Default' } } },
      },
    })
  })

  it('reads a file by its path, and says which one it cannot read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-conf-'))
    try {
      const file = join(directory, 'cinder.conf')
      await writeFile(file, '[DEFAULT]\nbackup_swift_container = nightly\n')
      assert.deepEqual(fromCinderConf(file), { backupSwiftContainer: 'nightly' })
      assert.throws(
        () => fromCinderConf(join(directory, 'none')),
        /Cannot read the cinder\.conf .*none: the file does not exist/,
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  for (const [line, problem] of [
    [
      'backup_swift_auth = everyone',
      /backup_swift_auth of the cinder\.conf must be 'per_user' or 'single_user'/,
    ],
    [
      'backup_swift_object_size = 0x10',
      /backup_swift_object_size of the cinder\.conf must be a whole number of at least 1/,
    ],
    [
      'backup_swift_auth_insecure = t',
      /backup_swift_auth_insecure of the cinder\.conf must be true or false/,
    ],
    [
      'backup_swift_auth_version = 4',
      /backup_swift_auth_version of the cinder\.conf must be '1' or '2' or '3'/,
    ],
    ['backup_swift_service_auth = true', /send_service_user_token/],
  ] as const) {
    it(`refuses ${line}`, () => {
      assert.throws(() => fromCinderConf(`[DEFAULT]\n${line}`), problem)
    })
  }
})
