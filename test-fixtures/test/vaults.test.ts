import {
  bufferVolume,
  CINDER_COMPRESSIONS,
  type BackupRecord,
  type JsonValue,
  type RestoredVolumeMetadata,
} from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { compressors } from '../vaults/compressors.js'
import { vaultPath, vaults, type Vault, type VaultBackup } from '../vaults/vaults.js'

/** Nothing here writes: Cinder's vaults are read where they lie. */
const openVault = (vault: Vault): PosixBackupDriver =>
  new PosixBackupDriver({ path: vaultPath(vault), decompressors: [...compressors.values()] })

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const readable = (vault: Vault): boolean => vault.words.every((word) => compressors.has(word))

describe.each(vaults.filter(readable))('the vault $name, which Cinder wrote', (vault) => {
  const driver = openVault(vault)
  afterAll(() => driver.close())

  test('is listed whole, with sizes, parents and texts', async () => {
    const listed = await driver.listBackups()
    const byId = new Map(listed.map((record) => [record.id, record]))
    expect(byId.size).toBe(vault.backups.length)
    for (const backup of vault.backups) {
      const { compressions = [], ...record } = byId.get(backup.id) ?? {}
      expect(record).toEqual(recordOf(vault, backup))
      for (const algorithm of compressions) expect(['none', ...CINDER_COMPRESSIONS]).toContain(algorithm)
    }
  })

  test('lists a parent before its children', async () => {
    const ids = (await driver.listBackups()).map((record) => record.id)
    for (const { id, parentId } of vault.backups) {
      if (parentId !== null) expect(ids.indexOf(parentId)).toBeLessThan(ids.indexOf(id))
    }
  })

  describe.each(vault.backups.map((backup) => ({ backup, label: backup.label })))('$label', ({ backup }) => {
    test('restores to the bytes that Cinder had read', async () => {
      const target = bufferVolume()
      const result = await driver.restore(backup.id, target)
      expect(result.sizeBytes).toBe(backup.sizeBytes)
      expect(target.bytes.length).toBe(backup.sizeBytes)
      expect(sha256(target.bytes)).toBe(backup.sha256)
    })

    test('restores over what a target held before', async () => {
      const target = bufferVolume(new Uint8Array(backup.sizeBytes + 1).fill(0x5a))
      await driver.restore(backup.id, target, { overwrite: true })
      expect(sha256(target.bytes.subarray(0, backup.sizeBytes))).toBe(backup.sha256)
      expect(target.bytes.at(-1)).toBe(0x5a)
    })

    test('restores any range alone', async () => {
      const whole = bufferVolume()
      await driver.restore(backup.id, whole)
      const range = {
        offsetBytes: Math.floor(backup.sizeBytes / 3),
        lengthBytes: Math.ceil(backup.sizeBytes / 2),
      }
      const target = bufferVolume(new Uint8Array(backup.sizeBytes))
      await driver.restore(backup.id, target, { range })
      const end = range.offsetBytes + range.lengthBytes
      const expected = new Uint8Array(backup.sizeBytes)
      expected.set(whole.bytes.subarray(range.offsetBytes, end), range.offsetBytes)
      expect(sha256(target.bytes)).toBe(sha256(expected))
    })

    test('passes a full verification', async () => {
      const result = await driver.verify(backup.id, { level: 'full' })
      expect(result.chain).toEqual(chainOf(vault, backup))
      expect(result.sizeBytes).toBe(backup.sizeBytes)
      expect(result.blocksChecked).toBe(Math.ceil(backup.sizeBytes / backup.blockSizeBytes))
    })

    test('gives back the volume metadata that Cinder would', async () => {
      const { volumeMetadata } = await driver.restore(backup.id, bufferVolume())
      expect(volumeMetadata).toEqual(metadataOf(backup))
    })
  })
})

test.each(vaults.filter((vault) => !readable(vault)))(
  'the vault $name is refused by the name of the package that reads it',
  async (vault) => {
    const driver = openVault(vault)
    const restoring = driver.restore(vault.backups[0]!.id, bufferVolume())
    await expect(restoring).rejects.toMatchObject({
      code: 'COMPRESSION_UNKNOWN',
      message: expect.stringMatching(/@stowage\/compression-\w+/) as string,
    })
    await driver.close()
  },
)

test('a vault with an object that lost its last byte is not restored, and says which object', async () => {
  const vault = vaults.find((one) => one.name === 'word-none')!
  const backup = vault.backups[0]!
  const path = await mkdtemp(join(tmpdir(), 'stowage-vault-'))
  try {
    await cp(vaultPath(vault), path, { recursive: true })
    const objectName = `${backup.prefix}-00001`
    await truncate(join(path, backup.container, objectName), backup.chunkSizeBytes - 1)
    await using driver = new PosixBackupDriver({ path })
    const expected = { code: 'OBJECT_CORRUPT', details: { objectName } }
    await expect(driver.restore(backup.id, bufferVolume())).rejects.toMatchObject(expected)
    await expect(driver.verify(backup.id, { level: 'full' })).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      details: { problems: [expect.objectContaining({ code: 'OBJECT_CORRUPT', objectName })] },
    })
  } finally {
    await rm(path, { recursive: true, force: true })
  }
})

/** What the catalog has to find of a backup. */
function recordOf(vault: Vault, backup: VaultBackup): BackupRecord {
  const { id, volumeId, parentId, container, prefix, name, description, objectCount } = backup
  // As Python prints it in the vault; a record has ISO 8601.
  const createdAt = backup.createdAt.replace(' ', 'T').replace('+00:00', 'Z')
  const sizeBytes = sizeByManifests(vault, backup)
  return { id, volumeId, parentId, container, prefix, name, description, createdAt, sizeBytes, objectCount }
}

/** A list reads manifests alone, and Cinder's do not say that a volume shrank: see `StoreCatalog`. */
function sizeByManifests(vault: Vault, backup: VaultBackup): number {
  const sizes = chainOf(vault, backup).map((id) => vault.backups.find((one) => one.id === id)!.sizeBytes)
  return Math.max(...sizes)
}

function chainOf(vault: Vault, backup: VaultBackup): string[] {
  const parent = vault.backups.find((one) => one.id === backup.parentId)
  return [backup.id, ...(parent === undefined ? [] : chainOf(vault, parent))]
}

/** What Cinder's restore writes into its table of volumes: see `_v1_restore_factory` and `_v2_restore_factory`. */
function metadataOf(backup: VaultBackup): RestoredVolumeMetadata | null {
  if (backup.volumeMeta === null) return null
  const meta = JSON.parse(backup.volumeMeta) as Record<string, Record<string, JsonValue> | undefined>
  const fields = [
    'display_name',
    'display_description',
    ...(Number(meta['version']) > 1 ? ['encryption_key_id'] : []),
  ]
  const base = Object.entries(meta['volume-base-metadata'] ?? {}).filter(([name]) => fields.includes(name))
  return {
    base: Object.fromEntries(base),
    volume: meta['volume-metadata'] ?? {},
    glance: meta['volume-glance-metadata'] ?? {},
  }
}
