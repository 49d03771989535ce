import type { BackupRecord } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { zlib } from '@stowage/compression-zlib'
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { flipRow } from '../../../test-fixtures/bit-flips/bit-flips.js'
import {
  bytesOf,
  flipVault,
  measureTable,
  vaultFull,
  vaultIncremental,
  type FlipFixture,
  type FlipStore,
} from '../../../test-fixtures/bit-flips/flip-table.js'
import { vaultPath } from '../../../test-fixtures/vaults/vaults.js'
import { getBackupDriver, type SwiftBackupDriver } from '../src/index.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'

/** `STOWAGE_BIT_FLIPS=1200` measures the table of the POSIX test; a run of all tests takes fewer. */
const flips = Number(process.env['STOWAGE_BIT_FLIPS'] ?? 40)
/** Containers with the same content, which are damaged and restored from concurrently. */
const storeCount = 4

const plain = { extraMetadata: null }

async function openStore(): Promise<SwiftBackupDriver> {
  const driver = await getBackupDriver({
    ...plainRegion(),
    credentials: passwordOf(theLab().users.demo),
    container: `flips-${randomUUID()}`,
    chunkSizeBytes: vaultFull.chunkSizeBytes,
    blockSizeBytes: vaultFull.blockSizeBytes,
    compression: zlib(),
  })
  const container = driver.defaultContainer ?? ''
  await driver.putContainer(container, {})
  onTestFinished(async () => {
    const names: string[] = []
    for await (const name of driver.getContainerEntries(container, '', {})) names.push(name)
    await driver.deleteObjects(container, names, {})
    await driver.close()
  })
  return driver
}

async function write(driver: SwiftBackupDriver, objectName: string, content: Uint8Array): Promise<void> {
  const writer = await driver.getObjectWriter(driver.defaultContainer ?? '', objectName, plain)
  await writer.write(content)
  await writer.close()
}

function storeOf(
  driver: SwiftBackupDriver,
  fullRecord: BackupRecord,
  incrementalRecord: BackupRecord,
): FlipStore {
  return {
    ...{ driver, fullRecord, incrementalRecord },
    async read(container, objectName) {
      const reader = await driver.getObjectReader(container, objectName, plain)
      return reader.read({ maxBytes: 2 ** 20 })
    },
    write: (_container, objectName, content) => write(driver, objectName, content),
  }
}

/** The vault's objects, as Cinder's POSIX driver wrote them: only the names of a prefix differ in its Swift driver. */
async function cinderStore(): Promise<FlipStore> {
  const driver = await openStore()
  for (const { container, prefix } of [vaultFull, vaultIncremental]) {
    const directory = join(vaultPath(flipVault), container)
    for (const name of await readdir(directory)) {
      if (name.startsWith(prefix)) await write(driver, name, await readFile(join(directory, name)))
    }
  }
  return storeOf(driver, await driver.getBackup(vaultFull.id), await driver.getBackup(vaultIncremental.id))
}

async function volumes(): Promise<Pick<FlipFixture, 'full' | 'incremental'>> {
  await using driver = new PosixBackupDriver({ path: vaultPath(flipVault), decompressors: [zlib()] })
  const full = await bytesOf(driver, await driver.getBackup(vaultFull.id))
  return { full, incremental: await bytesOf(driver, await driver.getBackup(vaultIncremental.id)) }
}

async function cinderFixture(): Promise<FlipFixture> {
  const stores = await Promise.all(Array.from({ length: storeCount }, cinderStore))
  return { stores, ...(await volumes()) }
}

async function stowageFixture(): Promise<FlipFixture> {
  const { full, incremental } = await volumes()
  const stores = await Promise.all(
    Array.from({ length: storeCount }, async () => {
      const driver = await openStore()
      const fullRecord = await driver.backup({ volumeId: 'volume' }, full)
      const next = { volumeId: 'volume', parent: fullRecord }
      return storeOf(driver, fullRecord, await driver.backup(next, incremental))
    }),
  )
  return { stores, full, incremental }
}

describe.skipIf(!lab)('a flipped bit in a JSON object on Swift', () => {
  test.each<[string, () => Promise<FlipFixture>]>([
    ['Stowage', stowageFixture],
    ['Cinder', cinderFixture],
  ])('that %s wrote restores no other bytes in silence', { timeout: 3_600_000 }, async (writer, make) => {
    const rows = await measureTable(await make(), flips)
    for (const { name, result } of rows) console.log(flipRow(`${writer}, Swift: ${name}`, result))
    for (const { name, result } of rows) expect.soft(result.silent, name).toEqual([])
  })
})
