import { PosixBackupDriver } from '@stowage/backup-posix'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { main } from '../src/index.js'
import type { BackupView } from '../src/index.js'

const full = 'f0000000-0000-4000-8000-000000000001'
const next = 'f0000000-0000-4000-8000-000000000002'
let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stowage-listings-'))
  await using driver = new PosixBackupDriver({ path: directory, create: true, chunkSizeBytes: 65536 })
  await driver.backup({ volumeId: 'v', backupId: full }, Buffer.alloc(100_000, 1))
  const changed = Buffer.alloc(100_000, 1)
  changed[0] = 2
  await driver.backup({ volumeId: 'v', backupId: next, parent: full }, changed)
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function stowage(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  const exitCode = await main([...args, '--store', `posix:${directory}`], {
    stdin: Readable.from([]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: {},
  })
  expect(exitCode).toBe(0)
  return { stdout, stderr }
}

async function listed(): Promise<(BackupView & { parentMissing: boolean })[]> {
  return JSON.parse((await stowage('list', '--json')).stdout) as (BackupView & { parentMissing: boolean })[]
}

/** Makes a manifest what Cinder would have written. */
async function asOfCinder({ container, prefix }: BackupView): Promise<void> {
  const path = join(directory, container, `${prefix}_metadata`)
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  const ofCinder = Object.entries(manifest).filter(
    ([key]) => !key.startsWith('stowage_') && key !== 'volume_size_bytes',
  )
  await writeFile(path, JSON.stringify(Object.fromEntries(ofCinder)))
}

describe('list', () => {
  it('says what it did not find, and not that a store without that has no backups', async () => {
    const none = async (...args: string[]): Promise<string> => (await stowage('list', ...args)).stdout
    expect(await none('--volume-id', 'w')).toBe(`No backups of volume w in posix:${directory}.\n`)
    expect(await none('--container', 'c')).toBe(`No backups in container c of posix:${directory}.\n`)
    expect(await none('--container', 'c', '--volume-id', 'w', '--volumes')).toBe(
      `No backups of volume w in container c of posix:${directory}.\n`,
    )
  })

  it('has a column for what each backup stored and how, and all of it in JSON', async () => {
    const { stdout } = await stowage('list')
    const [titles = '', ofFull = '', ofNext = ''] = stdout.split('\n')
    expect(titles).toMatch(/^BACKUP +CREATED +KIND +SIZE +STORED +OBJECTS +COMPRESSION +VOLUME +NAME$/)
    expect(ofFull).toMatch(/ [+-]\d\d:\d\d +full +97\.7 KiB +[\d.]+ KiB +2 +none +v$/)
    expect(ofNext).toMatch(/incremental +97\.7 KiB +[\d.]+ KiB +1 +none +v$/)
    const [first] = await listed()
    expect(first).toMatchObject({ chunkSizeBytes: 65536, blockSizeBytes: 32768, storedDataBytes: 100_000 })
    expect(first?.storedBytes).toBe(100_000 + (first?.storedMetadataBytes ?? NaN))
  })

  it('says of a manifest of Cinder that it does not state what was stored', async () => {
    const [ofFull] = await listed()
    await asOfCinder(ofFull!)
    expect((await stowage('list')).stdout).toMatch(/full +97\.7 KiB +- +2 +none/)
    expect((await listed())[0]).toMatchObject({
      storedBytes: null,
      chunkSizeBytes: null,
      blockSizeBytes: null,
    })
    const { stdout } = await stowage('show', full)
    expect(stdout).toMatch(/^ {2}stored +2 objects, of a size that is not recorded$/m)
    expect(stdout).not.toContain('chunk size')
  })

  it('marks a backup whose parent is missing, and a size that rests on it', async () => {
    const [ofFull, ofNext] = await listed()
    expect([ofFull?.parentMissing, ofNext?.parentMissing]).toEqual([false, false])
    await rm(join(directory, ofFull!.container, `${ofFull!.prefix}_metadata`))
    const { stdout, stderr } = await stowage('list')
    expect(stdout).toMatch(/incremental, parent missing +97\.7 KiB/)
    expect(stderr).toContain('PARENT_MISSING')
    // Cinder's manifests do not state the size: what is shown is what is certain.
    await asOfCinder(ofNext!)
    expect((await stowage('list')).stdout).toMatch(/incremental, parent missing +≥ 32 KiB/)
    expect(await listed()).toMatchObject([{ id: next, parentMissing: true, sizeIsMinimum: true }])
  })
})

describe('list --volumes', () => {
  it('sums up the backups of each volume, for people and in JSON', async () => {
    await using driver = new PosixBackupDriver({ path: directory })
    await driver.backup({ volumeId: 'another' }, Buffer.alloc(50_000, 3))
    const { stdout } = await stowage('list', '--volumes')
    const [titles = '', another = '', v = ''] = stdout.split('\n')
    expect(titles).toMatch(/^VOLUME +BACKUPS +FULL +SIZE +STORED +OLDEST +NEWEST +NEWEST BACKUP$/)
    expect(another).toMatch(/^another +1 +1 +48\.8 KiB +[\d.]+ KiB /)
    expect(v).toMatch(new RegExp(`^v +2 +1 +97\\.7 KiB +[\\d.]+ KiB .* ${next}$`))
    expect(JSON.parse((await stowage('list', '--volumes', '--json')).stdout)).toMatchObject([
      { volumeId: 'another', backupCount: 1, fullCount: 1, incrementalCount: 0, parentMissingCount: 0 },
      {
        volumeId: 'v',
        backupCount: 2,
        fullCount: 1,
        incrementalCount: 1,
        sizeBytes: 100_000,
        newestId: next,
      },
    ])
    expect((await stowage('list', '--volumes', '--quiet', '--volume-id', 'v')).stdout).toBe('v\n')
  })

  it('says of how many backups the parent is missing, and no sum that a manifest does not state', async () => {
    const [ofFull, ofNext] = await listed()
    await asOfCinder(ofNext!)
    await rm(join(directory, ofFull!.container, `${ofFull!.prefix}_metadata`))
    expect((await stowage('list', '--volumes')).stdout).toMatch(/^v +1 +0 +≥ 32 KiB +- .* +1 +f0000000/m)
  })
})

describe('show', () => {
  it('has stored sizes, compression, chunk size and block size', async () => {
    const { stdout } = await stowage('show', full)
    expect(stdout).toMatch(/^ {2}stored +97\.7 KiB data in 2 objects \+ [\d.]+ (KiB|B) metadata$/m)
    expect(stdout).toMatch(/^ {2}chunk size +64 KiB$/m)
    expect(stdout).toMatch(/^ {2}block size +32 KiB$/m)
    expect(stdout).toMatch(/^ {2}compression +none$/m)
  })
})
