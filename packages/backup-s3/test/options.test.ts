import { isBackupError, type BackupErrorCode } from '@stowage/backup-core'
import { zlib } from '@stowage/compression-zlib'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CredentialKeeper } from '../src/auth/credential-keeper.js'
import type { S3Credentials } from '../src/auth/credentials.js'
import { cinderFlags } from '../src/config/options.js'
import { resolveOptions } from '../src/config/resolve-options.js'
import { getBackupDriver, getBackupDriverForUrl, S3BackupDriver, type S3DriverOptions } from '../src/index.js'

const keys = { accessKeyId: 'AK', secretAccessKey: 'SECRET-KEY' }
const base: S3DriverOptions = { credentials: keys, env: {} }

const rejection =
  (code: BackupErrorCode, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

/** Asserts that a driver with these options is rejected when it is constructed. */
function rejected(options: object, message: RegExp): void {
  assert.throws(() => new S3BackupDriver({ ...base, ...options }), rejection('OPTION_INVALID', message))
}

/** The options as the parts of the driver receive them. */
const resolved = (options: S3DriverOptions = {}): ReturnType<typeof resolveOptions> =>
  resolveOptions({ ...base, ...options })

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stowage-s3-options-'))
  await writeFile(join(directory, 'a.pem'), 'a certificate')
})
afterAll(async () => {
  await rm(directory, { recursive: true })
})

describe('the endpoint', () => {
  it('is that of Amazon S3 in the region if none is set', () => {
    assert.equal(resolved().endpoint.url.href, 'https://s3.us-east-1.amazonaws.com/')
    assert.equal(resolved({ region: 'eu-west-3' }).endpoint.url.href, 'https://s3.eu-west-3.amazonaws.com/')
    assert.equal(
      resolved({ region: 'cn-north-1' }).endpoint.url.href,
      'https://s3.cn-north-1.amazonaws.com.cn/',
    )
  })

  it('may have a port and a path', () => {
    for (const url of ['http://10.0.0.1:9000/', 'https://[::1]:8080/', 'https://s3.example/gateway/s3']) {
      assert.equal(resolved({ backupS3EndpointUrl: url }).endpoint.url.href, url)
    }
  })

  for (const [url, message] of [
    ['s3.example:443', /is not an http or https URL/],
    ['10.0.0.1', /is not an http or https URL/],
    ['ftp://s3.example', /is not an http or https URL/],
    ['https://', /is not an http or https URL/],
    ['https://user:CANARY@s3.example', /contains a user or a password/],
    ['https://s3.example/?token=CANARY', /has a query or a fragment/],
    ['https://s3.example/#CANARY', /has a query or a fragment/],
  ] as const) {
    it(`is rejected as ${url}, by the names of the option and the flag, without its value`, () => {
      assert.throws(
        () => new S3BackupDriver({ ...base, backupS3EndpointUrl: url }),
        (error: unknown) => {
          assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
          assert.match(error.message, /^backupS3EndpointUrl \(backup_s3_endpoint_url\) /)
          assert.match(error.message, message)
          assert.ok(!inspect(error).includes('CANARY'))
          return true
        },
      )
    })
  }

  it('is rejected with pathStyle: false where the bucket can be no part of the host name', () => {
    const host = { pathStyle: false, backupS3EndpointUrl: 'https://s3.example' }
    assert.ok(new S3BackupDriver({ ...base, ...host, container: 'nightly' }))
    for (const container of ['Nightly', 'my_bucket', 'tenant:bucket', '-x'])
      rejected({ ...host, container }, /can be no part of a host name\. Set pathStyle to true/)
    for (const backupS3EndpointUrl of ['http://10.0.0.1:9000', 'http://[::1]:9000'])
      rejected(
        { ...host, backupS3EndpointUrl, container: 'nightly' },
        /the host of the endpoint is the address/,
      )
  })

  it('rejects the name of another bucket that can be no part of the host name', async () => {
    await using driver = new S3BackupDriver({
      ...base,
      ...{ pathStyle: false, backupS3EndpointUrl: 'http://s3.localhost:1', container: 'nightly' },
    })
    await assert.rejects(
      driver.putContainer('My_Bucket', {}),
      rejection('OPTION_INVALID', /can be no part of a host name/),
    )
  })
})

describe('the region and the bucket', () => {
  it('a region is a word', () => {
    for (const region of ['us east', 'a/b', 'a\nb', 'ü']) rejected({ region }, /is not the name of a region/)
    rejected({ region: '' }, /`region`/)
    assert.equal(resolved({ region: 'RegionOne' }).endpoint.region, 'RegionOne')
  })

  for (const container of ['a/b', 'a b', '..', '.', 'ü', 'a?b', 'a#b', 'a%2Fb', 'x'.repeat(256)]) {
    it(`the bucket ${JSON.stringify(container).slice(0, 20)} is rejected`, () => {
      rejected({ container }, /^The bucket name "/)
      rejected({ backupS3StoreBucket: container }, /^The bucket name "/)
    })
  }

  it('names that other stores than Amazon allow are accepted', () => {
    for (const container of ['A_b', 'tenant:bucket', 'a.b', 'x'.repeat(255)])
      assert.equal(resolved({ container }).container, container)
  })

  it('one bucket under two names is accepted, two are rejected', () => {
    assert.equal(resolved({ container: 'a', backupS3StoreBucket: 'a' }).container, 'a')
    rejected({ container: 'a', backupS3StoreBucket: 'b' }, /container and backupS3StoreBucket/)
    assert.equal(resolved().container, 'volumebackups')
  })

  it('a URL names a bucket, or none', async () => {
    for (const [url, bucket, search] of [
      ['s3://nightly', 'nightly', 'container'],
      ['S3://nightly/', 'nightly', 'container'],
      ['s3:nightly', 'nightly', 'container'],
      ['s3:', 'volumebackups', 'account'],
      ['s3://', 'volumebackups', 'account'],
    ] as const) {
      await using driver = await getBackupDriverForUrl(url, { ...base, env: { HOME: directory } })
      assert.equal(driver.defaultContainer, bucket, url)
      const other = { id: 'b', volumeId: 'v', parentId: null, container: null, name: null, description: null }
      const backup = { ...other, createdAt: new Date(0) }
      if (search === 'account') assert.equal(driver.updateContainerName(backup, 'x'), 'x')
      else
        assert.throws(
          () => driver.updateContainerName(backup, 'x'),
          rejection('OPTION_INVALID', /consists of the bucket nightly only/),
        )
    }
    for (const url of ['s3://a/b', 's3://key@a', 's3://a?x', 'swift://a', 'https://a', 's3://a%20b']) {
      await assert.rejects(
        getBackupDriverForUrl(url, base),
        rejection('OPTION_INVALID', /must have the form s3:\/\/BUCKET/),
      )
    }
  })
})

describe('the keys', () => {
  it('are required, and the error says where they are searched', () => {
    const none = /there are no keys\. Set AWS_ACCESS_KEY_ID .* or a profile, .*backup_s3_store_access_key/
    rejected({ credentials: undefined }, none)
  })

  it('are rejected one without the other', () => {
    const without = { credentials: undefined }
    rejected(
      { ...without, backupS3StoreAccessKey: 'AK' },
      /^backupS3StoreSecretKey \(backup_s3_store_secret_key\)/,
    )
    rejected(
      { ...without, backupS3StoreSecretKey: 's' },
      /^backupS3StoreAccessKey \(backup_s3_store_access_key\)/,
    )
  })

  it('as credentials take precedence over those of Cinder’s options', () => {
    const cinders = { backupS3StoreAccessKey: 'other', backupS3StoreSecretKey: 'other' }
    assert.equal(resolved(cinders).credentials, keys)
    assert.deepEqual(resolveOptions({ ...cinders, env: {} }).credentials, {
      accessKeyId: 'other',
      secretAccessKey: 'other',
    })
  })

  for (const [label, credentials, message] of [
    ['no object', 'AK:CANARY', /must be an object with accessKeyId and secretAccessKey, or a function/],
    ['no secret', { accessKeyId: 'CANARY' }, /no accessKeyId or no secretAccessKey/],
    ['an empty secret', { accessKeyId: 'CANARY', secretAccessKey: '' }, /is empty/],
    ['a line break in the id', { ...keys, accessKeyId: 'CANARY\n' }, /accessKeyId has spaces/],
    ['a line break in the token', { ...keys, sessionToken: 'CANARY\nX: y' }, /sessionToken is not a text/],
    ['a token that is not a text', { ...keys, sessionToken: 5 }, /sessionToken is not a text/],
  ] as const) {
    it(`are rejected with ${label}, without a value`, () => {
      assert.throws(
        () => new S3BackupDriver({ ...base, credentials: credentials as unknown as S3Credentials }),
        (error: unknown) => {
          assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
          assert.match(error.message, message)
          assert.ok(!inspect(error).includes('CANARY'))
          return true
        },
      )
    })
  }
})

describe('a function that returns keys', () => {
  const expiringIn = (ms: number, accessKeyId = 'AK'): S3Credentials => ({
    ...keys,
    accessKeyId,
    expiration: new Date(Date.now() + ms),
  })

  it('is called once for concurrent requests, and again five minutes before the keys end', async () => {
    let calls = 0
    const keeper = new CredentialKeeper(() =>
      Promise.resolve(expiringIn(++calls === 1 ? 200_000 : 3_600_000)),
    )
    await Promise.all([keeper.get(), keeper.get(), keeper.get()])
    assert.equal(calls, 1)
    await keeper.get()
    assert.equal(calls, 2)
    await keeper.get()
    assert.equal(calls, 2)
  })

  it('may fail while its last keys are still valid', async () => {
    for (const [leftMs, isValid] of [
      [200_000, true],
      [10_000, false],
    ] as const) {
      let calls = 0
      const keeper = new CredentialKeeper(() =>
        ++calls === 1
          ? Promise.resolve(expiringIn(leftMs, 'first'))
          : Promise.reject(new Error('no network')),
      )
      await keeper.get()
      if (isValid) assert.equal((await keeper.get()).accessKeyId, 'first')
      else await assert.rejects(keeper.get(), rejection('AUTH_FAILED', /failed: no network/))
      assert.equal(calls, 2)
    }
  })

  it('that fails or returns no keys is AUTH_FAILED', async () => {
    const failing: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
      [() => Promise.reject(new Error('IMDS')), /the function of the option credentials failed: IMDS/],
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a careless function does
      [() => Promise.reject(undefined), /failed: undefined/],
      [() => Promise.resolve(undefined), /no accessKeyId/],
      [() => Promise.resolve({ accessKeyId: 'a', secretAccessKey: '' }), /is empty/],
      [() => Promise.resolve({ ...keys, sessionToken: 'a\nb' }), /sessionToken is not a text/],
    ]
    for (const [source, message] of failing) {
      const keeper = new CredentialKeeper(source as () => Promise<S3Credentials>)
      await assert.rejects(keeper.get(), rejection('AUTH_FAILED', message))
    }
  })
})

describe('SSE-C', () => {
  const key = 'k'.repeat(32)

  it('is both options or neither', () => {
    assert.deepEqual(resolved().encryption, {})
    const one = /Only one of backupS3SseCustomerKey .* so nothing would be encrypted\. Set both, or neither/
    rejected({ backupS3SseCustomerKey: key }, one)
    rejected({ backupS3SseCustomerAlgorithm: 'AES256' }, one)
    const both = resolved({ backupS3SseCustomerKey: key, backupS3SseCustomerAlgorithm: 'AES256' })
    assert.deepEqual(both.encryption, {
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key': 'a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=',
      'x-amz-server-side-encryption-customer-key-md5': 'mT2HRsMGJ5IX5C+0rreZ8Q==',
    })
  })

  it('needs a key of 32 bytes, and no error quotes it', () => {
    for (const text of ['CANARY', `CANARY${'ü'.repeat(26)}`, 'CANARY'.repeat(6)]) {
      assert.throws(
        () =>
          new S3BackupDriver({
            ...base,
            backupS3SseCustomerKey: text,
            backupS3SseCustomerAlgorithm: 'AES256',
          }),
        (error: unknown) => {
          assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
          assert.match(error.message, new RegExp(`has ${Buffer.byteLength(text)} bytes, and AES256 needs 32`))
          assert.ok(!inspect(error).includes('CANARY'))
          return true
        },
      )
    }
  })
})

describe('the network', () => {
  it('takes backup_s3_timeout for its three time limits, each of which its own option overrides', () => {
    const limits = (options: S3DriverOptions): readonly number[] => {
      const { connectMs, headersMs, bodyMs } = resolved(options).timeouts
      return [connectMs, headersMs, bodyMs]
    }
    assert.deepEqual(limits({}), [10_000, 90_000, 60_000])
    assert.deepEqual(limits({ backupS3Timeout: 7 }), [7000, 7000, 7000])
    assert.deepEqual(limits({ backupS3Timeout: 0 }), [10_000, 90_000, 60_000])
    assert.deepEqual(limits({ backupS3Timeout: 7, connectTimeoutSeconds: 1 }), [1000, 7000, 7000])
    assert.deepEqual(limits({ backupS3Timeout: 7, headersTimeoutSeconds: 1 }), [7000, 1000, 7000])
    assert.deepEqual(limits({ backupS3Timeout: 7, bodyTimeoutSeconds: 1 }), [7000, 7000, 1000])
    assert.equal(resolved({ backupS3Timeout: 7, connectTimeoutSeconds: 1 }).connection.connectTimeoutMs, 1000)
  })

  it('takes the proxies of Cinder’s options before those of the environment', () => {
    const env = { http_proxy: 'http://env:1', https_proxy: 'http://env:2', no_proxy: 'a' }
    assert.deepEqual(resolved({ env }).connection.env, env)
    assert.deepEqual(
      resolved({ env, backupS3HttpProxy: 'http://own:1', backupS3HttpsProxy: 'http://own:2' }).connection.env,
      { http_proxy: 'http://own:1', https_proxy: 'http://own:2', no_proxy: 'a' },
    )
    assert.throws(
      () => new S3BackupDriver({ ...base, backupS3HttpsProxy: 'http://user:CANARY@[x' }),
      (error: unknown) => {
        assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
        assert.ok(!inspect(error).includes('CANARY'))
        return true
      },
    )
  })

  it('reads certificates from their files, by the name of the option and the flag', () => {
    const file = join(directory, 'a.pem')
    const missing = join(directory, 'none.pem')
    assert.equal(resolved({ backupS3CaCertFile: file }).connection.caCertificates, 'a certificate')
    rejected(
      { backupS3CaCertFile: missing },
      /of backupS3CaCertFile \(backup_s3_ca_cert_file\): the file does not/,
    )
    rejected({ clientCertFile: file }, /Only one of clientCertFile and clientKeyFile/)
    rejected({ clientKeyFile: file }, /Only one of clientCertFile and clientKeyFile/)
    rejected({ clientCertFile: file, clientKeyFile: missing }, /of clientKeyFile: the file does not exist/)
  })

  it('accepts any certificate with one warning only if that is set', async () => {
    const warnings: string[] = []
    const onWarning = ({ message }: { message: string }): void => void warnings.push(message)
    await using checking = new S3BackupDriver({ ...base, onWarning })
    assert.equal(checking.defaultContainer, 'volumebackups')
    assert.deepEqual(warnings, [])
    await using trusting = new S3BackupDriver({ ...base, onWarning, backupS3VerifySsl: false })
    assert.equal(trusting.defaultContainer, 'volumebackups')
    assert.equal(warnings.length, 1)
    assert.match(warnings.join('\n'), /Certificates are not verified .*backup_s3_verify_ssl/)
    assert.equal(resolved({ backupS3VerifySsl: false }).connection.insecure, true)
    assert.equal(resolved().connection.insecure, false)
  })

  it('takes the retries of Cinder’s option', () => {
    const { retry } = resolved({
      backupS3RetryMaxAttempts: 0,
      retryBackoffSeconds: 2,
      retryDeadlineSeconds: 5,
    })
    assert.deepEqual(
      [retry.retries, retry.backoffMs, retry.maxBackoffMs, retry.deadlineMs],
      [0, 2000, 64_000, 5000],
    )
  })
})

describe('every option', () => {
  const wrong: Readonly<Record<string, unknown>> = {
    ...{ credentials: 1, region: 1, pathStyle: 'yes', bucketRegion: '', search: 'bucket', conditionalPut: 1 },
    ...{ multipartThresholdBytes: 1024, retryBackoffSeconds: 0, env: 'x', backupS3Timeout: -1 },
    ...{
      backupS3RetryMode: 'eager',
      backupS3ObjectSize: 0,
      backupS3BlockSize: 1.5,
      backupS3VerifySsl: 'true',
    },
    ...{ connectTimeoutSeconds: 0, minBytesPerSecond: NaN, backupS3RetryMaxAttempts: -1 },
    ...{ backupS3SseCustomerKey: '', backupS3StoreBucket: '', clientCertFile: '', chunkSizeBytes: 'x' },
  }
  for (const [name, value] of Object.entries(wrong)) {
    it(`${name} is validated when the driver is constructed`, () => {
      rejected({ [name]: value }, new RegExp(`\`${name}\``))
    })
  }

  it('names the flag of a cinder.conf, if it has one', () => {
    for (const [name, { flag }] of cinderFlags)
      rejected({ [name]: { no: 'value' } }, new RegExp(`${flag}\\b`))
  })

  it('is known by its name, and a similar one is suggested', async () => {
    rejected({ backupS3Bucket: 'x' }, /There is no option `backupS3Bucket`/)
    rejected({ regoin: 'x' }, /Did you mean `region`/)
    await assert.rejects(
      getBackupDriver({ ...base, ...{ profil: 'x' } }),
      rejection('OPTION_INVALID', /Did you mean `profile`/),
    )
  })

  it('above 5 GiB is rejected: one PUT cannot be larger', () => {
    rejected({ multipartThresholdBytes: 5 * 1024 ** 3 + 1 }, /above 5 GiB/)
  })

  it('of an algorithm without its compressor is rejected', () => {
    rejected({ backupCompressionAlgorithm: 'zlib' }, /install @stowage\/compression-zlib/)
    const engine = resolved({ backupCompressionAlgorithm: 'zlib', decompressors: [zlib()] }).engine
    assert.equal(engine.compression?.name, 'zlib')
  })

  it('that is a secret is in no error of another one', () => {
    const secrets = {
      backupS3StoreAccessKey: 'CANARY',
      backupS3StoreSecretKey: 'CANARY',
      backupS3SseCustomerKey: 'CANARY'.repeat(6).slice(0, 32),
      backupS3SseCustomerAlgorithm: 'AES256',
      credentials: { accessKeyId: 'CANARY', secretAccessKey: 'CANARY', sessionToken: 'CANARY' },
    }
    fc.assert(
      fc.property(fc.constantFrom(...Object.entries(wrong)), ([name, value]) => {
        assert.throws(
          () => new S3BackupDriver({ env: {}, ...secrets, [name]: value }),
          (error: unknown) => isBackupError(error) && !inspect(error, { depth: 9 }).includes('CANARY'),
        )
      }),
    )
  })
})
