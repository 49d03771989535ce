import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { cinderFlags } from '../src/config/options.js'
import { fromCinderConf, getBackupDriver } from '../src/index.js'

/** Every flag that Cinder's S3 driver registers, and those of every driver, as an operator may write them. */
const whole = `
# an operator's file
[DEFAULT]
enabled_backends = lvm
backup_driver = cinder.backup.drivers.s3.S3BackupDriver
backup_s3_endpoint_url = https://s3.example:9000
backup_s3_store_access_key = AK
backup_s3_store_secret_key: "pa$$word # not a comment"
backup_s3_store_bucket = nightly
backup_s3_object_size = 33_554_432
backup_s3_block_size = 16384
backup_s3_enable_progress_timer = off
backup_s3_http_proxy = http://proxy.example:3128
backup_s3_https_proxy = http://proxy.example:3129
backup_s3_timeout = 30
backup_s3_max_pool_connections = 20
backup_s3_retry_max_attempts = 4
backup_s3_retry_mode = adaptive
backup_s3_verify_ssl = False
backup_s3_ca_cert_file = $state_path/ca.pem
backup_s3_md5_validation = no
backup_s3_sse_customer_key = 0123456789abcdef0123456789abcdef
backup_s3_sse_customer_algorithm = AES256
backup_compression_algorithm = zstd
backup_create_containers = false
backup_object_number_per_notification = 5
backup_timer_interval = 60
storage_availability_zone = east

[lvm]
backup_s3_endpoint_url = http://elsewhere
`

const expected = {
  backupS3EndpointUrl: 'https://s3.example:9000',
  backupS3StoreAccessKey: 'AK',
  backupS3StoreSecretKey: 'pa$word # not a comment',
  backupS3StoreBucket: 'nightly',
  backupS3ObjectSize: 33_554_432,
  backupS3BlockSize: 16_384,
  backupS3EnableProgressTimer: false,
  backupS3HttpProxy: 'http://proxy.example:3128',
  backupS3HttpsProxy: 'http://proxy.example:3129',
  backupS3Timeout: 30,
  backupS3MaxPoolConnections: 20,
  backupS3RetryMaxAttempts: 4,
  backupS3RetryMode: 'adaptive',
  backupS3VerifySsl: false,
  backupS3CaCertFile: '/var/lib/cinder/ca.pem',
  backupS3Md5Validation: false,
  backupS3SseCustomerKey: '0123456789abcdef0123456789abcdef',
  backupS3SseCustomerAlgorithm: 'AES256',
  backupCompressionAlgorithm: 'zstd',
  backupCreateContainers: false,
  backupObjectNumberPerNotification: 5,
  backupTimerInterval: 60,
  storageAvailabilityZone: 'east',
}

describe('fromCinderConf', () => {
  it('reads every flag of [DEFAULT] under its own name', () => {
    assert.deepEqual(fromCinderConf(whole), expected)
    assert.deepEqual(
      Object.keys(expected),
      cinderFlags.map(([name]) => name),
    )
    assert.equal(cinderFlags.filter(([, { flag }]) => flag.startsWith('backup_s3_')).length, 18)
  })

  it('takes an empty flag for one that is not set', () => {
    const empty = cinderFlags.flatMap(([, { flag, default: value }]) =>
      value === undefined ? [`${flag} =`] : [],
    )
    assert.ok(empty.length > 5)
    assert.deepEqual(fromCinderConf(`[DEFAULT]\n${empty.join('\n')}\n`), {})
  })

  it('reads a file by its path, and names one that it cannot read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-s3-conf-'))
    try {
      const file = join(directory, 'cinder.conf')
      await writeFile(file, '[DEFAULT]\nbackup_s3_store_bucket = nightly\n')
      assert.deepEqual(fromCinderConf(file), { backupS3StoreBucket: 'nightly' })
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
      'backup_s3_object_size = 0x10',
      /backup_s3_object_size of the cinder\.conf must be a whole number of at least 1/,
    ],
    ['backup_s3_object_size = 0', /backup_s3_object_size .* of at least 1/],
    ['backup_s3_block_size = 1.5', /backup_s3_block_size .* a whole number/],
    ['backup_s3_retry_max_attempts = -1', /backup_s3_retry_max_attempts .* of at least 0/],
    ['backup_s3_retry_mode = eager', /backup_s3_retry_mode .* must be 'legacy' or 'standard' or 'adaptive'/],
    ['backup_s3_verify_ssl = t', /backup_s3_verify_ssl .* must be true or false/],
    ['backup_s3_timeout = soon', /backup_s3_timeout .* a number of seconds/],
    ['backup_s3_store_secret_key = pa$CANARY', /Option backup_s3_store_secret_key in line 2 .*Write \$\$/],
  ] as const) {
    it(`rejects ${line.replace('CANARY', 'word')}`, () => {
      assert.throws(
        () => fromCinderConf(`[DEFAULT]\n${line}`),
        (error: unknown) => {
          assert.ok(isBackupError(error, 'CONFIG_INVALID'), String(error))
          assert.match(error.message, problem)
          assert.ok(!inspect(error).includes('CANARY'))
          return true
        },
      )
    })
  }

  it('has no secret in an error, whatever surrounds it', async () => {
    const special = fc.constantFrom(
      '$',
      '${',
      '}',
      '$$',
      '\\',
      '"',
      "'",
      '#',
      ':',
      '=',
      '.',
      '%',
      '@',
      '/',
      'a',
    )
    const part = fc.array(special, { maxLength: 5 }).map((parts) => parts.join(''))
    const secrets = cinderFlags.flatMap(([, { flag, secret }]) => (secret ? [flag] : []))
    assert.equal(secrets.length, 3)
    await fc.assert(
      fc.asyncProperty(part, part, fc.constantFrom(...secrets), async (before, after, flag) => {
        const cinderConf = `[DEFAULT]\n${flag} = ${before}CANARY${after}\n`
        try {
          await (await getBackupDriver({ cinderConf, env: { HOME: '/nowhere' } })).close()
        } catch (error) {
          assert.ok(isBackupError(error), String(error))
          assert.ok(!inspect(error, { depth: 10 }).includes('CANARY'), inspect(error))
        }
      }),
    )
  })
})

describe('a cinder.conf and options beside it', () => {
  it('explicit options take precedence over the file, under either name', async () => {
    const cinderConf = [
      '[DEFAULT]',
      'backup_s3_store_access_key = AK',
      'backup_s3_store_secret_key = secret',
      'backup_s3_store_bucket = from-file',
      'backup_s3_object_size = 65536',
      'backup_s3_block_size = 1024',
      'backup_compression_algorithm = zstd',
      'storage_availability_zone = east',
    ].join('\n')
    await using driver = await getBackupDriver({
      cinderConf,
      env: { HOME: '/nowhere' },
      container: 'mine',
      backupS3BlockSize: 2048,
      backupCompressionAlgorithm: 'none',
    })
    assert.equal(driver.defaultContainer, 'mine')
    assert.equal(driver.chunkSizeBytes, 65_536)
    assert.equal(driver.blockSizeBytes, 2048)
    const backup = { id: 'b', volumeId: 'v', parentId: null, container: null, name: null, description: null }
    assert.match(driver.generateObjectNamePrefix({ ...backup, createdAt: new Date(0) }), /az_east_backup_b$/)
  })
})
