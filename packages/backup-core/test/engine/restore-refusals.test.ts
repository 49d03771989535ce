import { describe, expect, it } from 'vitest'
import { bufferVolume, type BackupRecord, type BackupWarning } from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver, fault } from '@stowage/backup-testkit'
import { changed, seededBytes, withoutChecksum } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
const before = seededBytes(9000)
const after = changed(before, 100, 700)

async function chain(): Promise<{ driver: MemoryBackupDriver; full: BackupRecord; next: BackupRecord }> {
  const driver = new MemoryBackupDriver(sizes)
  const full = await driver.backup({ volumeId: 'volume', backupId: 'full' }, before)
  const next = await driver.backup({ volumeId: 'volume', backupId: 'next', parent: full }, after)
  return { driver, full, next }
}

/** Changes a stored JSON object by way of its text, and takes its checksum out: Cinder writes none. */
function edit(driver: MemoryBackupDriver, name: string, change: (text: string) => string): void {
  const bytes = driver.store.get(container, name)
  if (!bytes) throw new Error(`no ${name}`)
  driver.store.set(container, name, Buffer.from(change(withoutChecksum(Buffer.from(bytes)))))
}

/** Restores over a target that must stay untouched. */
async function refusal(
  driver: { restore: MemoryBackupDriver['restore'] },
  backup: BackupRecord | string,
  code: string,
): Promise<void> {
  const target = new Uint8Array(9000).fill(0xee)
  await expect(driver.restore(backup, bufferVolume(target), { overwrite: true })).rejects.toMatchObject({
    code,
  })
  expect(target.every((byte) => byte === 0xee)).toBe(true)
}

describe('a restore', () => {
  it('reports an unknown backup', async () => {
    const { driver } = await chain()
    await refusal(driver, 'nobody', 'BACKUP_NOT_FOUND')
  })

  it('refuses a chain with a missing parent, a loop, or a parent of another volume', async () => {
    const missing = await chain()
    missing.driver.store.delete(container, `${missing.full.prefix}_metadata`)
    await refusal(missing.driver, missing.next, 'CHAIN_INVALID')

    const loop = await chain()
    edit(loop.driver, `${loop.full.prefix}_metadata`, (text) =>
      text.replace('"parent_id": null', '"parent_id": "next"'),
    )
    await refusal(loop.driver, loop.next, 'CHAIN_INVALID')

    const foreign = await chain()
    edit(foreign.driver, `${foreign.full.prefix}_metadata`, (text) =>
      text.replace('"volume_id": "volume"', '"volume_id": "another"'),
    )
    await refusal(foreign.driver, foreign.next, 'CHAIN_INVALID')
  })

  it('refuses a version that it does not know in any layer, in Cinder’s words', async () => {
    const { driver, full, next } = await chain()
    edit(driver, `${next.prefix}_metadata`, (text) =>
      text.replace('"version": "1.0.0"', '"version": "2.0.0"'),
    )
    await refusal(driver, next, 'VERSION_UNSUPPORTED')
    await expect(driver.restore(next, bufferVolume())).rejects.toThrow(
      'No support to restore backup version 2.0.0',
    )
    edit(driver, `${next.prefix}_metadata`, (text) =>
      text.replace('"version": "2.0.0"', '"version": "1.0.0"'),
    )
    edit(driver, `${full.prefix}_metadata`, (text) => text.replace('"version": "1.0.0"', '"version": "0.9"'))
    await expect(driver.restore(next, bufferVolume())).rejects.toThrow()
  })

  it('names the package to install for a compression word that it cannot read', async () => {
    const { driver, full } = await chain()
    edit(driver, `${full.prefix}_metadata`, (text) =>
      text.replace('"compression": "none"', '"compression": "bz2"'),
    )
    await refusal(driver, full, 'COMPRESSION_UNKNOWN')
    await expect(driver.restore(full, bufferVolume())).rejects.toThrow('npm i @stowage/compression-bz2')
  })

  it('refuses an object that is missing before it writes anything', async () => {
    const { driver, full, next } = await chain()
    driver.store.delete(container, `${full.prefix}-00003`)
    await refusal(driver, next, 'OBJECT_MISSING')
  })

  it('does without an object that newer ones hide, and says that it is gone', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const full = await driver.backup({ volumeId: 'volume' }, before)
    const next = await driver.backup({ volumeId: 'volume', parent: full }, changed(before, 0, 2048))
    driver.store.delete(container, `${full.prefix}-00001`)
    const warnings: BackupWarning[] = []
    const target = bufferVolume()
    await driver.restore(next, target, { onWarning: (warning) => warnings.push(warning) })
    expect(Buffer.compare(target.bytes, changed(before, 0, 2048))).toBe(0)
    expect(warnings).toEqual([
      expect.objectContaining({ code: 'UNUSED_OBJECT_MISSING', backupId: full.id }) as BackupWarning,
    ])
    expect(warnings[0]?.message).toContain(`${full.prefix}-00001 is not in container`)
  })

  it('refuses a flipped bit, a short object and a long one', async () => {
    const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => changed(bytes, 7, 8),
      (bytes) => bytes.subarray(0, bytes.length - 1),
      (bytes) => Buffer.concat([bytes, Buffer.from('x')]),
      () => new Uint8Array(0),
    ]
    for (const damage of damages) {
      const { driver, full, next } = await chain()
      const name = `${full.prefix}-00004`
      driver.store.set(container, name, damage(driver.store.get(container, name) ?? new Uint8Array(0)))
      await expect(driver.restore(next, bufferVolume())).rejects.toMatchObject({
        code: 'OBJECT_CORRUPT',
        details: { objectName: name, offsetBytes: 3 * 2048, backupId: 'full' },
      })
    }
  })

  it('reads once more what was damaged on the way', async () => {
    const { driver, next } = await chain()
    const faulty = new FaultyBackupDriver(driver, { faults: [fault.corrupt({ object: /-00002$/, nth: 1 })] })
    const warnings: BackupWarning[] = []
    const target = bufferVolume()
    await faulty.restore(next, target, { onWarning: (warning) => warnings.push(warning) })
    expect(Buffer.compare(target.bytes, after)).toBe(0)
    expect(warnings.map(({ code }) => code)).toEqual(['OBJECT_REREAD'])
  })

  it('takes extra objects for a warning, and in strict mode for the error that Cinder makes of them', async () => {
    const { driver, full } = await chain()
    driver.store.set(container, `${full.prefix}-99999`, new Uint8Array(3))
    const warnings: BackupWarning[] = []
    await driver.restore(full, bufferVolume(), { onWarning: (warning) => warnings.push(warning) })
    expect(warnings.map(({ code }) => code)).toEqual(['EXTRA_OBJECTS'])
    const strict = new MemoryBackupDriver({ ...sizes, store: driver.store, strict: 'cinder' })
    await refusal(strict, full, 'OBJECT_LIST_MISMATCH')
    await expect(strict.restore(full, bufferVolume())).rejects.toThrow(
      'restore_backup aborted, actual object list does not match object list stored in metadata.',
    )
  })

  it('trusts the manifest and not a listing that lags behind or fails', async () => {
    const { driver, full, next } = await chain()
    const lagging = new FaultyBackupDriver(driver, { faults: [fault.hide({ names: /-0000[1-4]$/ })] })
    const target = bufferVolume()
    await lagging.restore(next, target)
    expect(Buffer.compare(target.bytes, after)).toBe(0)

    const failing = new FaultyBackupDriver(driver, { faults: [fault.fail('getContainerEntries')] })
    const warnings: BackupWarning[] = []
    const other = bufferVolume()
    await failing.restore(full, other, { onWarning: (warning) => warnings.push(warning) })
    expect(Buffer.compare(other.bytes, before)).toBe(0)
    expect(warnings.map(({ code }) => code)).toEqual(['LISTING_INCOMPLETE'])
  })

  it('refuses an object without an MD5, unless the caller allows it', async () => {
    const { driver, full } = await chain()
    edit(driver, `${full.prefix}_metadata`, (text) => text.replace(/"md5": "[0-9a-f]{32}"/, '"md5": null'))
    await refusal(driver, full, 'METADATA_INVALID')
    const target = bufferVolume()
    await driver.restore(full, target, { allowMissingMd5: true })
    expect(Buffer.compare(target.bytes, before)).toBe(0)
  })

  it('refuses volume metadata of a version that it does not know', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const record = await driver.backup({ volumeId: 'volume', volumeMetadata: '{"version": 9}' }, before)
    await refusal(driver, record, 'VOLUME_METADATA_UNSUPPORTED')
  })

  it('gives back what Cinder would restore of the volume metadata', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const volumeMetadata = {
      version: 2,
      'volume-base-metadata': { id: 'x', display_name: 'räksmörgås', size: 1, encryption_key_id: null },
      'volume-metadata': { tier: 'gold' },
    }
    const record = await driver.backup({ volumeId: 'volume', volumeMetadata }, before)
    const result = await driver.restore(record, bufferVolume())
    expect(result.volumeMetadata).toMatchObject({
      base: { display_name: 'räksmörgås', encryption_key_id: null },
      volume: { tier: 'gold' },
    })
  })

  it('fetches each visible object once, and only those that a range needs', async () => {
    const { driver, next } = await chain()
    const faulty = new FaultyBackupDriver(driver)
    await faulty.restore(next, bufferVolume(), { range: { offsetBytes: 2048, lengthBytes: 100 } })
    expect(faulty.count('reader.read')).toBe(1)
    const all = new FaultyBackupDriver(driver)
    const result = await all.restore(next, bufferVolume())
    expect(all.count('reader.read')).toBe(result.objectsFetched)
  })

  it('reports progress that never falls and ends at 100 percent', async () => {
    const { driver, next } = await chain()
    const percents: number[] = []
    await driver.restore(next, bufferVolume(), { onProgress: ({ percent }) => percents.push(percent ?? -1) })
    expect(percents.length).toBeGreaterThan(3)
    expect(percents).toEqual([...percents].sort((a, b) => a - b))
    expect(percents.filter((percent) => percent === 100)).toHaveLength(1)
    expect(percents.at(-1)).toBe(100)
  })

  it('refuses a range beyond the volume', async () => {
    const { driver, next } = await chain()
    for (const range of [
      { offsetBytes: 9000, lengthBytes: 1 },
      { offsetBytes: -1, lengthBytes: 1 },
      { offsetBytes: 0.5, lengthBytes: 1 },
    ]) {
      await expect(driver.restore(next, bufferVolume(), { range })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      })
    }
  })
})
