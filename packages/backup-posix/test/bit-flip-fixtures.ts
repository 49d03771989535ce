import type { BackupRecord } from '@stowage/backup-core'
import { zlib } from '@stowage/compression-zlib'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  bytesOf,
  flipVault,
  vaultFull,
  vaultIncremental,
  type FlipFixture,
  type FlipStore,
} from '../../../test-fixtures/bit-flips/flip-table.js'
import { vaultPath } from '../../../test-fixtures/vaults/vaults.js'
import { PosixBackupDriver } from '../src/index.js'
import { temporaryDirectory } from './temporary-store.js'

const sizes = { chunkSizeBytes: vaultFull.chunkSizeBytes, blockSizeBytes: vaultFull.blockSizeBytes }

async function openStore(): Promise<{ driver: PosixBackupDriver; path: string }> {
  const path = await temporaryDirectory()
  const driver = new PosixBackupDriver({ ...sizes, path, create: true, compression: zlib() })
  onTestFinished(() => driver.close())
  return { driver, path }
}

function storeOf(
  driver: PosixBackupDriver,
  path: string,
  fullRecord: BackupRecord,
  incrementalRecord: BackupRecord,
): FlipStore {
  return {
    ...{ driver, fullRecord, incrementalRecord },
    read: (container, objectName) => readFile(join(path, container, objectName)),
    write: (container, objectName, content) => writeFile(join(path, container, objectName), content),
  }
}

/** A full backup and an incremental that Cinder wrote. */
export async function cinderFixture(): Promise<FlipFixture> {
  const { driver, path } = await openStore()
  await cp(vaultPath(flipVault), path, { recursive: true })
  const full = await driver.getBackup(vaultFull.id)
  const incremental = await driver.getBackup(vaultIncremental.id)
  return {
    stores: [storeOf(driver, path, full, incremental)],
    full: await bytesOf(driver, full),
    incremental: await bytesOf(driver, incremental),
  }
}

/** The same volumes, backed up by Stowage. */
export async function stowageFixture(): Promise<FlipFixture> {
  const { full, incremental } = await cinderFixture()
  const { driver, path } = await openStore()
  const fullRecord = await driver.backup({ volumeId: 'volume' }, full)
  const incrementalRecord = await driver.backup({ volumeId: 'volume', parent: fullRecord }, incremental)
  return { stores: [storeOf(driver, path, fullRecord, incrementalRecord)], full, incremental }
}
