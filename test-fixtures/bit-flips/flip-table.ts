import { bufferVolume, type BackupRecord, type ChunkedBackupDriver } from '@stowage/backup-core'
import { vaults, type VaultBackup } from '../vaults/vaults.js'
import { measureFlips, type DamagedStore, type FlipResult } from './bit-flips.js'

/** A full backup and an incremental on it, in several stores of one content. */
export interface FlipFixture {
  readonly stores: readonly FlipStore[]
  readonly full: Uint8Array
  readonly incremental: Uint8Array
}

/** One of the stores. */
export interface FlipStore {
  readonly driver: ChunkedBackupDriver
  readonly fullRecord: BackupRecord
  readonly incrementalRecord: BackupRecord
  read(container: string, objectName: string): Promise<Uint8Array>
  write(container: string, objectName: string, content: Uint8Array): Promise<void>
}

type Which = 'fullRecord' | 'incrementalRecord'

/** The cases of the table: the object with the flipped bit, and what is restored. */
const cases: readonly { name: string; damaged: Which; suffix: string; restored: Which }[] = [
  {
    name: 'full `_metadata`, restoring the full',
    damaged: 'fullRecord',
    suffix: '_metadata',
    restored: 'fullRecord',
  },
  {
    name: 'full `_metadata`, restoring the incremental',
    damaged: 'fullRecord',
    suffix: '_metadata',
    restored: 'incrementalRecord',
  },
  {
    name: 'incremental `_metadata`',
    damaged: 'incrementalRecord',
    suffix: '_metadata',
    restored: 'incrementalRecord',
  },
  { name: 'full `_sha256file`', damaged: 'fullRecord', suffix: '_sha256file', restored: 'fullRecord' },
  {
    name: 'incremental `_sha256file`',
    damaged: 'incrementalRecord',
    suffix: '_sha256file',
    restored: 'incrementalRecord',
  },
]

/** Flips bits in each JSON object of a fixture. */
export async function measureTable(
  fixture: FlipFixture,
  flips: number,
): Promise<{ readonly name: string; readonly result: FlipResult }[]> {
  const rows: { name: string; result: FlipResult }[] = []
  for (const { name, damaged, suffix, restored } of cases) {
    const stores = await Promise.all(
      fixture.stores.map(async (store): Promise<DamagedStore> => {
        const { container, prefix } = store[damaged]
        return {
          content: await store.read(container, prefix + suffix),
          write: (bytes) => store.write(container, prefix + suffix, bytes),
          restore: (target, onWarning) => store.driver.restore(store[restored], target, { onWarning }),
        }
      }),
    )
    const expected = restored === 'fullRecord' ? fixture.full : fixture.incremental
    rows.push({ name, result: await measureFlips({ expected, flips, stores }) })
  }
  return rows
}

/** The vault whose first two backups Cinder's side of the table is made from. */
export const flipVault = vaults.find(({ name }) => name === 'chain') ?? fail()

/** Cinder's full backup and its incremental. */
export const [vaultFull, vaultIncremental] = flipVault.backups as unknown as readonly [
  VaultBackup,
  VaultBackup,
]

/** The bytes of a backup. */
export async function bytesOf(driver: ChunkedBackupDriver, backup: BackupRecord): Promise<Uint8Array> {
  const target = bufferVolume()
  await driver.restore(backup, target)
  return target.bytes
}

function fail(): never {
  throw new Error('there is no vault of that name')
}
