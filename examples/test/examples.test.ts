import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const program = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-examples-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** A disk image with some of it random and some of it zeros. */
async function makeImage(sizeBytes: number): Promise<{ path: string; bytes: Buffer }> {
  const bytes = Buffer.alloc(sizeBytes)
  randomBytes(sizeBytes / 2).copy(bytes, sizeBytes / 4)
  const path = join(folder, 'disk.img')
  await writeFile(path, bytes)
  return { path, bytes }
}

describe('the examples', () => {
  it('quick-look.js restores what it backed up', async () => {
    const { path, bytes } = await makeImage(4_000_000)
    const restored = join(folder, 'restored.img')
    const { stdout } = await run('node', [program('quick-look.js'), path, join(folder, 'backups'), restored])
    expect(stdout).toMatch(/^full \S+: 1 objects; incremental \S+: 0 objects\n$/)
    expect(Buffer.compare(await readFile(restored), bytes)).toBe(0)
  })

  it('back-up-a-stream.js makes a full backup of a pipe, then an incremental', async () => {
    const backups = join(folder, 'backups')
    const pipe = async (input: Buffer): Promise<string> => {
      const child = spawn('node', [program('back-up-a-stream.js'), backups, 'db'])
      child.stdin.end(input)
      let output = ''
      for await (const text of child.stdout) output += String(text)
      return output
    }
    const dump = randomBytes(3_000_000)
    expect(await pipe(dump)).toMatch(/: 3000000 bytes, full\n$/)
    expect(await pipe(Buffer.concat([dump, Buffer.from('more')]))).toMatch(/: 3000004 bytes, incremental on /)
  })

  it('progress-and-abort.js reports progress to 100 percent', async () => {
    const { path } = await makeImage(20_000_000)
    const { stdout } = await run('node', [program('progress-and-abort.js'), path, join(folder, 'backups')])
    expect(stdout).toMatch(/100\.0 % {2}20000000 bytes\nstored /)
  })

  it('rescue-a-cinder-vault.js restores the newest state of every volume of a vault that Cinder wrote', async () => {
    const vault = fileURLToPath(new URL('../../test-fixtures/vaults/chain', import.meta.url))
    const out = join(folder, 'rescued')
    const { stdout } = await run('node', [program('rescue-a-cinder-vault.js'), vault, out])
    const images = await readdir(out)
    expect(images.length).toBeGreaterThan(0)
    for (const image of images) expect(stdout).toContain(image)
  })
})

describe('the README', () => {
  it('shows the lines of quick-look.js, to the letter', async () => {
    const readme = await readFile(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')
    const source = await readFile(program('quick-look.js'), 'utf8')
    const shown = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const lines = shown.split('\n').filter((line) => line.trim() !== '')
    expect(lines.length).toBeGreaterThanOrEqual(9)
    const plain = source.replace('fileVolume(image)', "fileVolume('disk.img')")
    expect(plain).not.toBe(source)
    for (const line of lines) {
      const asRun = line
        .replaceAll("fileVolume('disk.img')", 'fileVolume(image)')
        .replaceAll("fileVolume('restored.img')", 'fileVolume(restored)')
        .replaceAll("path: './backups'", 'path')
      expect(source).toContain(asRun)
    }
  })
})
