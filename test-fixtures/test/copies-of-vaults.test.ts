import { bufferVolume, copyBackups, type ChunkedBackupDriver } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestCloud } from '../test-cloud/index.js'
import { compressors } from '../vaults/compressors.js'
import { vaultPath, vaults, type Vault } from '../vaults/vaults.js'
import { swiftOf } from './swift-of-tests.js'

const decompressors = [...compressors.values()]
const readable = (vault: Vault): boolean => vault.words.every((word) => compressors.has(word))

let cloud: TestCloud
let folder: string
beforeAll(async () => {
  cloud = await TestCloud.start()
  folder = await mkdtemp(join(tmpdir(), 'stowage-vault-copies-'))
})
afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The objects of a store of the driver, by their names. */
async function objectsOf(driver: ChunkedBackupDriver): Promise<Map<string, Buffer>> {
  const objects = new Map<string, Buffer>()
  for (const { container, prefix } of await driver.listBackups()) {
    for await (const name of driver.getContainerEntries(container, prefix, {})) {
      const reader = await driver.getObjectReader(container, name, { extraMetadata: null })
      objects.set(name, Buffer.from(await reader.read()))
      await reader.close?.()
    }
  }
  return objects
}

async function filesOf(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === '.stowage-store') continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    files.set(entry.name, createHash('sha256').update(bytes).digest('hex'))
  }
  return files
}

/** Checks that every state that Cinder backed up is restored. */
async function expectStates(driver: ChunkedBackupDriver, vault: Vault): Promise<void> {
  for (const { id, sha256 } of vault.backups) {
    const target = bufferVolume()
    await driver.restore(id, target)
    expect(createHash('sha256').update(target.bytes).digest('hex'), id).toBe(sha256)
  }
}

describe.each([
  ['memory', () => new MemoryBackupDriver({ decompressors })],
  ['Swift', (vault: Vault) => swiftOf(cloud, `vault-${vault.name}`, { decompressors })],
] as const)('the vaults of Cinder, copied from POSIX to %s and back', (middleName, openMiddle) => {
  test.each(vaults.filter(readable))(
    '$name: every state restores, and nothing but names changes',
    async (vault) => {
      await using from = new PosixBackupDriver({ path: vaultPath(vault), decompressors })
      await using middle = openMiddle(vault)
      await copyBackups(from, middle)
      const originals = await objectsOf(from)
      const copies = await objectsOf(middle)
      expect(copies.size).toBe(originals.size)
      for (const { id, prefix } of vault.backups) {
        const copy = await middle.getBackup(id)
        expect(copy.prefix).not.toBe(prefix)
        for (const [name, bytes] of originals) {
          if (!name.startsWith(`${prefix}-`) && !name.startsWith(`${prefix}_`)) continue
          const expected = name.endsWith('_metadata')
            ? Buffer.from(bytes.toString().replaceAll(`"${prefix}-`, `"${copy.prefix}-`))
            : bytes
          expect(copies.get(copy.prefix + name.slice(prefix.length))?.equals(expected), name).toBe(true)
        }
      }
      await expectStates(middle, vault)

      const path = join(folder, `${middleName}-${vault.name}`)
      await using back = new PosixBackupDriver({ path, create: true, fsync: false, decompressors })
      await copyBackups(middle, back)
      expect(await filesOf(path)).toEqual(await filesOf(vaultPath(vault)))
      await expectStates(back, vault)
    },
  )
})
