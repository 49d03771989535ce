import { bufferVolume } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** Where the process is killed: before the n-th call of an operation on the destination. */
const deaths = [
  ['putContainer', 1],
  ['getObjectWriter', 1],
  ['writer.close', 1],
  ['writer.write', 2],
  ['writer.close', 4],
  ['writer.write', 9],
  ['writer.close', 11],
  ['getContainerEntries', 7],
  ['writer.close', 14],
  ['deleteObject', 2],
] as const

interface Calls {
  readonly stored: readonly string[]
  readonly read: readonly string[]
}

let folder: string
let source: string
const states = [1, 2].map((seed) => {
  const bytes = Buffer.alloc(600_000)
  for (let at = 0; at < bytes.length; at += 32)
    createHash('sha256')
      .update(`${at < 400_000 ? 1 : seed} ${at}`)
      .digest()
      .copy(bytes, at)
  return bytes
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-killed-copies-'))
  source = join(folder, 'source')
  await build({
    entry: { program: fileURLToPath(new URL('killed-copy.ts', import.meta.url)) },
    format: 'esm',
    target: 'node20',
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    tsconfig: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)),
    noExternal: [/^@stowage\//],
    config: false,
    silent: true,
  })
  await using driver = new PosixBackupDriver({
    path: source,
    create: true,
    fsync: false,
    chunkSizeBytes: 65536,
    blockSizeBytes: 4096,
  })
  await driver.backup({ volumeId: 'v', backupId: 'full' }, bufferVolume(states[0]))
  await driver.backup({ volumeId: 'v', backupId: 'inc', parent: 'full' }, bufferVolume(states[1]))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs a copy in a process of its own. Undefined where it was killed. */
function copy(target: string, ...death: readonly (string | number)[]): Promise<Calls | undefined> {
  const args = [join(folder, 'program.mjs'), source, target, 'inc', ...death.map(String)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve(undefined)
      else if (error) reject(new Error(stderr, { cause: error }))
      else resolve(JSON.parse(stdout) as Calls)
    })
  })
}

async function filesOf(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.stowage-')) continue
    files.set(
      entry.name,
      createHash('sha256')
        .update(await readFile(join(entry.parentPath, entry.name)))
        .digest('hex'),
    )
  }
  return files
}

describe('a copy between two directories', () => {
  test.each(deaths)(
    'that is killed by SIGKILL before %s %i is completed by the next one, which stores no whole object again',
    async (operation, nth) => {
      const target = join(folder, `target-${operation}-${nth}`)
      expect(await copy(target, operation, nth)).toBeUndefined()
      const whole = await filesOf(target)
      const calls = await copy(target)
      const stored = calls!.stored.filter((name) => !name.startsWith('stowage-'))
      expect(stored.filter((name) => whole.has(name))).toEqual([])
      expect(new Set(stored).size).toBe(stored.length)
      const copied = await filesOf(target)
      // The claim of a backup that is committed is left to `removeOrphans`.
      if (operation === 'deleteObject')
        expect([...copied.keys()].filter((name) => name.startsWith('stowage-'))).toHaveLength(1)
      for (const name of [...copied.keys()]) if (name.startsWith('stowage-')) copied.delete(name)
      expect(copied).toEqual(await filesOf(source))
      await using driver = new PosixBackupDriver({ path: target })
      for (const [index, id] of ['full', 'inc'].entries()) {
        const restored = bufferVolume()
        await driver.restore(id, restored)
        expect(Buffer.compare(restored.bytes, states[index]!)).toBe(0)
      }
    },
  )

  test('reads each data object of the source once, where nothing disturbs it', async () => {
    const { read, stored } = (await copy(join(folder, 'undisturbed')))!
    const data = read.filter((name) => /-\d{5}$/.test(name))
    expect(new Set(data).size).toBe(data.length)
    expect(data.sort()).toEqual(stored.filter((name) => /-\d{5}$/.test(name)).sort())
  })
})
