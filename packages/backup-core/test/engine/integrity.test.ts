import { describe, expect, it } from 'vitest'
import { BackupError, bufferVolume, type BackupRecord, type BackupWarning } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'
import { changed, seededBytes, withoutChecksum } from './volumes.js'

// What one damaged JSON object may cost: an error or a warning, never other bytes in silence.

const container = 'volumebackups'
const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const before = seededBytes(9000)
const after = changed(before, 100, 700)

interface Json {
  objects: Record<string, { offset: number; length: number }>[]
  sha256s: string[]
  chunk_size: number
  [key: string]: unknown
}

interface Fixture {
  readonly driver: MemoryBackupDriver
  readonly full: BackupRecord
  readonly next: BackupRecord
}

/** A chain as Stowage writes it. */
async function chain(): Promise<Fixture> {
  const driver = new MemoryBackupDriver(sizes)
  const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
  const next = await driver.backup({ volumeId: 'volume', backupId: 'next', parent: full }, after)
  return { driver, full, next }
}

/** The same chain without what only Stowage writes. */
async function cinderChain(): Promise<Fixture> {
  const fixture = await chain()
  for (const record of [fixture.full, fixture.next]) {
    edit(fixture.driver, record, '_metadata', (json) => {
      delete json['volume_size_bytes']
    })
  }
  return fixture
}

/** Changes a JSON object, which has no checksum afterwards. */
function edit(
  driver: MemoryBackupDriver,
  record: BackupRecord,
  suffix: '_metadata' | '_sha256file',
  change: (json: Json) => void,
): void {
  const json = JSON.parse(withoutChecksum(driver.store.get(container, record.prefix + suffix)!)) as Json
  change(json)
  driver.store.set(container, record.prefix + suffix, Buffer.from(JSON.stringify(json)))
}

const objectAt = (json: Json, index: number): { offset: number; length: number } =>
  Object.values(json.objects[index]!)[0]!

async function restore(
  { driver }: Fixture,
  record: BackupRecord,
): Promise<{ bytes: Uint8Array; warnings: string[] }> {
  const warnings: string[] = []
  const target = bufferVolume()
  const onWarning = ({ code }: BackupWarning): number => warnings.push(code)
  await driver.restore(record, target, { onWarning })
  return { bytes: target.bytes, warnings }
}

async function failure(promise: Promise<unknown>): Promise<BackupError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof BackupError)) throw new Error('did not fail with a BackupError', { cause: error })
  return error
}

describe('the manifest of a full backup that lost its checksum', () => {
  it.each<[string, (json: Json) => void, string]>([
    ['an object less', (json) => void json.objects.splice(2, 1), 'no object holds bytes 4096 to 6144'],
    ['no first object', (json) => void json.objects.shift(), 'no object holds bytes 0 to 2048'],
    [
      'an object in the place of another',
      (json) => void (objectAt(json, 1).offset = 0),
      'begins before the end of volume_',
    ],
    [
      'an object that is too long',
      (json) => void (objectAt(json, 0).length = 2049),
      'begins before the end of volume_',
    ],
    [
      'another size than its objects',
      (json) => void (json['volume_size_bytes'] = 10_000),
      '`volume_size_bytes` is 10000, but the objects end at byte 9000',
    ],
    ['no objects', (json) => void (json.objects = []), '`volume_size_bytes` is 9000'],
  ])('with %s is refused before a restore writes (A5)', async (_what, change, message) => {
    const fixture = await chain()
    const { driver, full, next } = fixture
    edit(driver, full, '_metadata', change)
    for (const record of [full, next]) {
      const target = new Uint8Array(9000).fill(0xee)
      const error = await failure(driver.restore(record, bufferVolume(target), { overwrite: true }))
      expect(error).toMatchObject({ code: 'METADATA_INVALID', details: { backupId: 'full' } })
      expect(error.message).toContain(message)
      expect(target.every((byte) => byte === 0xee)).toBe(true)
      expect((await failure(driver.verify(record))).code).toBe('METADATA_INVALID')
    }
    const incremental = driver.backup({ volumeId: 'volume', parent: next }, after)
    expect((await failure(incremental)).code).toBe('METADATA_INVALID')
  })

  it('is refused where its last objects are not named, are there, and were hashed (A5)', async () => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.full, '_metadata', (json) => void json.objects.pop())
    const refused = await failure(fixture.driver.restore(fixture.full, bufferVolume()))
    expect(refused).toMatchObject({ code: 'METADATA_INVALID', details: { backupId: 'full' } })
    const error = await failure(fixture.driver.verify(fixture.full, { level: 'full' }))
    expect(error.message).toContain('18 hashes, but the volume of 8192 bytes has 16 blocks')
  })

  it('warns where only one of these signs is left (A5)', async () => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.full, '_metadata', (json) => void json.objects.pop())
    fixture.driver.store.delete(container, `${fixture.full.prefix}-00005`)
    expect((await restore(fixture, fixture.full)).warnings).toEqual(['HASH_LIST_UNREADABLE'])

    const other = await cinderChain()
    edit(other.driver, other.full, '_metadata', (json) => void json.objects.pop())
    other.driver.store.delete(container, `${other.full.prefix}_sha256file`)
    const { warnings } = await restore(other, other.full)
    expect(warnings.sort()).toEqual(['EXTRA_OBJECTS', 'HASH_LIST_UNREADABLE'])
  })

  it('is refused where an incremental lost its `parent_id`, and would be one (A5)', async () => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.next, '_metadata', (json) => {
      delete json['parent_id']
    })
    expect((await failure(fixture.driver.restore(fixture.next, bufferVolume()))).message).toContain(
      'it has no `parent_id` and objects for 1024 bytes, but 18 blocks of 512 bytes were hashed',
    )
  })
})

describe('the manifest of an incremental without a checksum', () => {
  it.each<[string, (json: Json) => void, string]>([
    [
      'with objects that overlap',
      (json) => {
        const [first] = Object.entries(json.objects[0]!)
        json.objects.push({ [first![0].replace(/1$/, '2')]: { ...first![1], offset: 512 } })
      },
      'begins before the end of volume_',
    ],
    [
      'with an object that begins within a block',
      (json) => void (objectAt(json, 0).offset = 1500),
      'does not begin and end at blocks of 512 bytes',
    ],
    [
      'with a size that no object reaches',
      (json) => void (json['volume_size_bytes'] = 2 ** 50),
      '`volume_size_bytes` is 1125899906842624, but the objects of its chain end at byte 9000',
    ],
    [
      'with an object far past the end of its parent',
      (json) => void (objectAt(json, 0).offset = 2 ** 49),
      'no object holds bytes 9000 to 562949953421312 of the volume',
    ],
    [
      'with an object whose length became 0',
      (json) => void (objectAt(json, 0).length = 0),
      'has `length` 0 at byte 0, which only the one object of an empty volume has',
    ],
  ])('%s is refused (A5, B4)', async (_what, change, message) => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.next, '_metadata', change)
    const error = await failure(fixture.driver.restore(fixture.next, bufferVolume()))
    expect(error).toMatchObject({ code: 'METADATA_INVALID', details: { backupId: 'next' } })
    expect(error.message).toContain(message)
    const verify = await failure(fixture.driver.verify(fixture.next, { level: 'full' }))
    expect(verify.message).toContain(message)
  })
})

describe('an object of length 0', () => {
  const noBytes = 'd41d8cd98f00b204e9800998ecf8427e'

  it.each([
    [noBytes, undefined],
    ['0cc175b9c0f1b6a831c399e269772661', 'METADATA_INVALID'],
    [null, 'METADATA_INVALID'],
  ])('of a volume without bytes with the MD5 %s gives %s (A5)', async (md5, code) => {
    const driver = new MemoryBackupDriver(sizes)
    const empty = await driver.backup({ volumeId: 'v', allowEmpty: true }, new Uint8Array(0))
    edit(driver, empty, '_metadata', (json) => {
      const object = { compression: 'none', length: 0, md5, offset: 0 }
      json.objects.push({ [`${empty.prefix}-00001`]: object })
    })
    driver.store.set(container, `${empty.prefix}-00001`, new Uint8Array(0))
    const restored = driver.restore(empty, bufferVolume())
    if (code === undefined) expect((await restored).sizeBytes).toBe(0)
    else expect((await failure(restored)).code).toBe(code)
  })

  it('is refused beside the objects of a full backup, whatever its MD5 (A5)', async () => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.full, '_metadata', (json) => {
      const object = { compression: 'none', length: 0, md5: noBytes, offset: 9000 }
      json.objects.push({ [`${fixture.full.prefix}-00006`]: object })
    })
    const error = await failure(fixture.driver.restore(fixture.full, bufferVolume()))
    expect(error.message).toContain('has `length` 0 at byte 9000')
  })
})

describe('sizes that no store holds', () => {
  const far = 2 ** 50

  /** A backup that says that it is a petabyte for each of its objects. */
  async function huge(): Promise<Fixture> {
    const fixture = await cinderChain()
    const md5 = '0'.repeat(32)
    edit(fixture.driver, fixture.full, '_metadata', (json) => {
      for (const [index, entry] of json.objects.entries())
        for (const object of Object.values(entry))
          Object.assign(object, { offset: index * far, length: far, md5 })
    })
    return fixture
  }

  it('are faults of a verification, which takes neither memory nor time for them (B4)', async () => {
    const fixture = await huge()
    const error = await failure(fixture.driver.verify(fixture.full, { level: 'full' }))
    const codes = new Set(error.details.problems?.map(({ code }) => code))
    expect(error.code).toBe('VERIFY_FAILED')
    expect(codes).toContain('METADATA_INVALID')
  })

  it('are refused by a target before anything is made for them (B4)', async () => {
    const fixture = await huge()
    const target = new Uint8Array(9000).fill(0xee)
    const error = await failure(
      fixture.driver.restore(fixture.full, bufferVolume(target), { overwrite: true }),
    )
    expect(error.code).toBe('TARGET_TOO_SMALL')
    expect(target.every((byte) => byte === 0xee)).toBe(true)
  })
})

describe('a hash list that was shortened', () => {
  const shorten = (json: Json): void => void json.sha256s.splice(5)

  it('does not cut the volume that Stowage backed up, and is an error of a full verification (A6)', async () => {
    const fixture = await chain()
    edit(fixture.driver, fixture.next, '_sha256file', shorten)
    const { bytes } = await restore(fixture, fixture.next)
    expect(Buffer.compare(bytes, after)).toBe(0)
    const error = await failure(fixture.driver.verify(fixture.next, { level: 'full' }))
    expect(error.details.problems).toEqual([
      expect.objectContaining({
        code: 'METADATA_INVALID',
        objectName: `${fixture.next.prefix}_sha256file`,
        message: expect.stringContaining('5 hashes, but the volume of 9000 bytes has 18 blocks') as string,
      }),
    ])
  })

  it('is reported where Cinder may have written it of a volume that shrank (A6)', async () => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.next, '_sha256file', shorten)
    const { bytes, warnings } = await restore(fixture, fixture.next)
    expect(Buffer.compare(bytes, after.subarray(0, 5 * 512))).toBe(0)
    expect(warnings).toEqual(['VOLUME_SHRANK'])
  })

  it('does not cut what a later object holds, whoever wrote it (A6)', async () => {
    const fixture = await cinderChain()
    edit(fixture.driver, fixture.next, '_sha256file', (json) => void json.sha256s.splice(1))
    const { bytes, warnings } = await restore(fixture, fixture.next)
    expect(Buffer.compare(bytes, after)).toBe(0)
    expect(warnings).toEqual(['HASH_LIST_UNREADABLE'])
  })

  it('with blocks of 512 GiB is no list of this volume (A6)', async () => {
    const fixture = await chain()
    edit(fixture.driver, fixture.next, '_sha256file', (json) => {
      json.sha256s.splice(1)
      json.chunk_size = 2 ** 39
    })
    const error = await failure(fixture.driver.verify(fixture.next, { level: 'full' }))
    expect(error.message).toContain('blocks of 549755813888 bytes')
    expect((await restore(fixture, fixture.next)).bytes.length).toBe(9000)
  })

  it('is not what an incremental is made on (A6)', async () => {
    const fixture = await chain()
    edit(fixture.driver, fixture.next, '_sha256file', shorten)
    const error = await failure(fixture.driver.backup({ volumeId: 'volume', parent: fixture.next }, after))
    expect(error).toMatchObject({
      code: 'METADATA_INVALID',
      message: expect.stringMatching(/^Cannot make an incremental on backup next: .*5 hashes/) as string,
    })
  })
})

describe('a hash list that is lost or damaged', () => {
  const lose = ({ driver, next }: Fixture): void => {
    driver.store.delete(container, `${next.prefix}_sha256file`)
  }
  const truncate = ({ driver, next }: Fixture): void => {
    const name = `${next.prefix}_sha256file`
    driver.store.set(container, name, driver.store.get(container, name)!.slice(0, 300))
  }

  it.each<[string, () => Promise<Fixture>, (fixture: Fixture) => void, string, string[]]>([
    ['lost, of Stowage', chain, lose, 'OBJECT_MISSING', ['HASH_LIST_UNREADABLE']],
    ['lost, of Cinder', cinderChain, lose, 'OBJECT_MISSING', ['HASH_LIST_UNREADABLE']],
    ['cut short, of Stowage', chain, truncate, 'METADATA_INVALID', []],
    ['cut short, of Cinder', cinderChain, truncate, 'METADATA_INVALID', ['HASH_LIST_UNREADABLE']],
  ])(
    '(%s) costs a restore a warning at most, and a full verification an error (A7)',
    async (_, make, damage, code, expected) => {
      const fixture = await make()
      damage(fixture)
      const { bytes, warnings } = await restore(fixture, fixture.next)
      expect(Buffer.compare(bytes, after)).toBe(0)
      expect(warnings).toEqual(expected)
      const range = bufferVolume(new Uint8Array(9000))
      const options = { range: { offsetBytes: 8000, lengthBytes: 1000 }, overwrite: true }
      await fixture.driver.restore(fixture.next, range, options)
      expect(Buffer.compare(range.bytes.subarray(8000), after.subarray(8000))).toBe(0)
      const error = await failure(fixture.driver.verify(fixture.next, { level: 'full' }))
      expect(error.details.problems?.map((problem) => problem.code)).toEqual([code])
      const incremental = fixture.driver.backup({ volumeId: 'volume', parent: fixture.next }, after)
      expect((await failure(incremental)).code).toBe(code)
    },
  )

  it('that lost its parent’s keeps a chain restorable (A7)', async () => {
    const fixture = await chain()
    fixture.driver.store.delete(container, `${fixture.full.prefix}_sha256file`)
    const { bytes, warnings } = await restore(fixture, fixture.next)
    expect(Buffer.compare(bytes, after)).toBe(0)
    expect(warnings).toEqual(['HASH_LIST_UNREADABLE'])
    await expect(fixture.driver.verify(fixture.next)).rejects.toMatchObject({ code: 'VERIFY_FAILED' })
  })

  it('is not read by a restore of what Stowage wrote, whose manifest has the size', async () => {
    const { driver, next } = await chain()
    const faulty = new FaultyBackupDriver(driver)
    await faulty.restore(next, bufferVolume())
    const read = faulty.calls.filter(({ operation }) => operation === 'getObjectReader')
    expect(read.map(({ objectName }) => objectName).join()).not.toContain('_sha256file')
  })
})

describe('a chunk size that the caller chose without a block size', () => {
  const cinderBlocks = { blockSizeBytes: 4096, chunkSizeBytes: 65_536 }

  it('is checked against the blocks of the parent (C8)', async () => {
    const driver = new MemoryBackupDriver(cinderBlocks)
    const parent = await driver.backup({ volumeId: 'volume' }, before)
    const other = new MemoryBackupDriver({ store: driver.store, chunkSizeBytes: 12_288 })
    const next = await other.backup({ volumeId: 'volume', parent }, after)
    expect(await other.verify(next, { level: 'full' })).toMatchObject({ blocksChecked: 3 })
    await expect(other.backup({ volumeId: 'volume', incremental: true }, after)).resolves.toBeDefined()
  })

  it('is refused for a full backup that its own block size does not divide, before the store is asked (C8)', async () => {
    const faulty = new FaultyBackupDriver(new MemoryBackupDriver(), { chunkSizeBytes: 10_001 })
    await expect(faulty.backup({ volumeId: 'volume' }, before)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(
        'Option `chunkSizeBytes` is 10001: it must be a multiple of the block size',
      ) as string,
    })
    expect(faulty.calls).toEqual([])
  })

  it('is refused where the parent’s blocks do not fit it either (C8)', async () => {
    const driver = new MemoryBackupDriver(cinderBlocks)
    const parent = await driver.backup({ volumeId: 'volume' }, before)
    const other = new MemoryBackupDriver({ store: driver.store, chunkSizeBytes: 10_000 })
    const failed = failure(other.backup({ volumeId: 'volume', parent }, after))
    expect((await failed).message).toContain(
      'is 10000: it must be a multiple of the block size, which is 4096 bytes',
    )
  })
})
