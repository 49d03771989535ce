import { isBackupError } from '@stowage/backup-core'
import { bz2 } from '@stowage/compression-bz2'
import { zlib } from '@stowage/compression-zlib'
import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import {
  commonFlags,
  engineOptions,
  integerFlag,
  readCinderConf,
  textFlag,
  withConf,
  zonedObjectNamePrefix,
  type FlaggedOptions,
} from '../src/index.js'

const flags = {
  backupExampleUrl: textFlag('backup_example_url'),
  backupExampleBucket: textFlag('backup_example_bucket', 'volumebackups', { coreOption: 'container' }),
  backupExampleObjectSize: integerFlag('backup_example_object_size', 52_428_800, 1, {
    unit: 'bytes',
    coreOption: 'chunkSizeBytes',
  }),
  backupExampleBlockSize: integerFlag('backup_example_block_size', 32_768, 1, {
    unit: 'bytes',
    coreOption: 'blockSizeBytes',
  }),
  ...commonFlags,
}

interface ExampleOptions extends FlaggedOptions {
  readonly backupExampleUrl?: string
  readonly backupExampleBucket?: string
  readonly backupExampleObjectSize?: number
  readonly backupExampleBlockSize?: number
}

const engine = (options: ExampleOptions): object => engineOptions(options, flags)

function rejected(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
    assert.match(error.message, message)
    return true
  })
}

describe('the options of the engine', () => {
  it('are those of every driver, and no flag, no default and nothing undefined', () => {
    assert.deepEqual(engine({}), {})
    const onWarning = (): void => undefined
    const options = {
      concurrency: 2,
      onWarning,
      strict: 'cinder',
      maxMemoryBytes: undefined,
    } as unknown as ExampleOptions
    assert.deepEqual(engine({ ...options, backupExampleUrl: 'x' }), {
      concurrency: 2,
      onWarning,
      strict: 'cinder',
    })
  })

  it('have what a flag has under another name', () => {
    const cinders = { backupExampleBucket: 'b', backupExampleObjectSize: 1024, backupExampleBlockSize: 512 }
    assert.deepEqual(engine(cinders), { container: 'b', chunkSizeBytes: 1024, blockSizeBytes: 512 })
  })

  it('may have one value under two names, and not two', () => {
    assert.deepEqual(engine({ container: 'b', backupExampleBucket: 'b' }), { container: 'b' })
    rejected(
      () => engine({ container: 'a', backupExampleBucket: 'b' }),
      /^container and backupExampleBucket are the same option, and have different values: set one of them\.$/,
    )
    rejected(
      () => engine({ chunkSizeBytes: 1, backupExampleObjectSize: 2 }),
      /chunkSizeBytes and backupExampleObjectSize/,
    )
  })
})

describe('the compression', () => {
  const [one, other] = [zlib(), bz2()]

  it('is the compressor that was passed where Cinder’s flag is unset', () => {
    assert.deepEqual(engine({ compression: one }), { compression: one, decompressors: [one] })
    assert.deepEqual(engine({ decompressors: [one] }), { decompressors: [one] })
  })

  it('is the one of the flag among all that were passed, whose others stay readable', () => {
    const both = { compression: one, decompressors: [other] }
    assert.deepEqual(engine({ ...both, backupCompressionAlgorithm: 'BZ2' }), {
      compression: other,
      decompressors: [one, other],
    })
    assert.deepEqual(engine({ ...both, backupCompressionAlgorithm: 'zlib' }), {
      compression: one,
      decompressors: [one, other],
    })
  })

  it('is none for each of Cinder’s words for none', () => {
    for (const backupCompressionAlgorithm of ['none', 'off', 'no', 'None'])
      assert.deepEqual(engine({ compression: one, backupCompressionAlgorithm }), { decompressors: [one] })
  })

  it('may be selected by an alias, after a compressor of that very name', () => {
    assert.deepEqual(engine({ decompressors: [one], backupCompressionAlgorithm: 'gzip' }), {
      compression: one,
      decompressors: [one],
    })
    const gzip = zlib({ algorithm: 'gzip' })
    const found = engine({ decompressors: [one, gzip], backupCompressionAlgorithm: 'gzip' })
    assert.deepEqual(found, { compression: gzip, decompressors: [one, gzip] })
  })

  it('is rejected with the package to install where its compressor was not passed', () => {
    for (const [backupCompressionAlgorithm, name] of [
      ['zstd', 'zstd'],
      ['gzip', 'zlib'],
      ['bzip2', 'bz2'],
    ] as const) {
      rejected(
        () => engine({ backupCompressionAlgorithm }),
        new RegExp(
          `\\(backup_compression_algorithm\\) is ${backupCompressionAlgorithm}, .*@stowage/compression-${name} `,
        ),
      )
    }
  })
})

describe('the options of a conf beneath those of the caller', () => {
  const conf: ExampleOptions = {
    backupExampleBucket: 'file',
    backupExampleObjectSize: 1024,
    backupExampleUrl: 'u',
  }

  it('are overridden by the flag and by the option that is the same', () => {
    assert.deepEqual(withConf<ExampleOptions>(conf, { backupExampleBucket: 'own' }, flags), {
      ...conf,
      backupExampleBucket: 'own',
    })
    assert.deepEqual(withConf<ExampleOptions>(conf, { container: 'own' }, flags), {
      backupExampleObjectSize: 1024,
      backupExampleUrl: 'u',
      container: 'own',
    })
    assert.deepEqual(engine(withConf<ExampleOptions>(conf, { container: 'own' }, flags)), {
      container: 'own',
      chunkSizeBytes: 1024,
    })
  })

  it('are overridden by a compressor of the caller', () => {
    const compression = zlib()
    const both = withConf<ExampleOptions>({ backupCompressionAlgorithm: 'zstd' }, { compression }, flags)
    assert.deepEqual(both, { compression })
  })

  it('stay where the caller sets nothing', () => {
    assert.deepEqual(withConf<ExampleOptions>(conf, {}, flags), conf)
  })
})

describe('the flags of a cinder.conf', () => {
  const read = (text: string): object => readCinderConf(`[DEFAULT]\n${text}\n`, flags).options

  it('are read as Python reads them', () => {
    for (const [line, expected] of [
      ['backup_example_object_size = +1_024', { backupExampleObjectSize: 1024 }],
      ['backup_create_containers = ON', { backupCreateContainers: true }],
      ['backup_create_containers = 0', { backupCreateContainers: false }],
      ['backup_example_url =', {}],
      ['other = 1', {}],
    ] as const)
      assert.deepEqual(read(line), expected, line)
  })

  it('may refer to the default of another flag, and to state_path', () => {
    assert.deepEqual(read('backup_example_url = $state_path/$backup_example_bucket'), {
      backupExampleUrl: '/var/lib/cinder/volumebackups',
    })
  })

  it('are rejected by their name, without their value', () => {
    for (const line of ['backup_example_object_size = CANARY', 'backup_create_containers = CANARY']) {
      assert.throws(
        () => read(line),
        (error: unknown) => {
          assert.ok(isBackupError(error, 'CONFIG_INVALID'), String(error))
          assert.ok(
            error.message.startsWith(`Option ${line.split(' ')[0] ?? ''} of the cinder.conf must be `),
          )
          assert.ok(!error.message.includes('CANARY'))
          return true
        },
      )
    }
  })
})

describe('the prefix of Cinder’s object stores', () => {
  it('has the volume, the second in UTC, the zone and the id', () => {
    const backup = { id: 'b', volumeId: 'v', parentId: null, container: null, name: null, description: null }
    const createdAt = new Date('2026-01-02T03:04:05.678Z')
    assert.equal(
      zonedObjectNamePrefix({ ...backup, createdAt }, 'east'),
      'volume_v/20260102030405/az_east_backup_b',
    )
  })
})
