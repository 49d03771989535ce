import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { start } from './stowage.js'
import { noise } from './workbench.js'
import { runCompressor, shelfBackend, useProject } from './third-party.js'

const project = useProject()

describe('a backend package of others', () => {
  it('is found by the scheme of --store, and makes, fills, lists and restores a store', async () => {
    await project.install('stowage-backup-shelf', shelfBackend)
    const disk = noise(1, 3_000_000)
    await writeFile(project.path('disk.img'), disk)
    const env = { STOWAGE_STORE: 'shelf:store' }
    expect(await project.run(['init'], env)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('is ready') as string,
    })
    const full = await project.run(['backup', 'disk.img', '-q'], env)
    expect(full).toMatchObject({ exitCode: 0, stderr: '' })
    disk.set(noise(2, 50_000), 1_000_000)
    await writeFile(project.path('disk.img'), disk)
    const next = await project.run(['backup', 'disk.img', '--incremental', '-q'], env)
    const list = await project.run(['list', '--json'], env)
    const ids = (JSON.parse(list.stdout) as { id: string }[]).map(({ id }) => id)
    expect(ids).toEqual([full.stdout.trim(), next.stdout.trim()])
    expect(await project.run(['restore', ids[1] ?? '', 'back.img'], env)).toMatchObject({ exitCode: 0 })
    expect((await readFile(project.path('back.img'))).equals(disk)).toBe(true)
    expect(await project.run(['delete', ids[0] ?? ''], env)).toMatchObject({ exitCode: 5 })
  })

  it('gets its flags, parsed, from anywhere on the command line and from the environment, and the network limits', async () => {
    await project.install('@stowage/backup-shelf', shelfBackend)
    const flags = ['--shelf-loud', '--shelf-limit=64K']
    const network = ['--timeout', '5s', '--retries', '2', '--retry-deadline', '1m']
    await project.run(['--store', 'shelf:store', 'init', ...flags], { SHELF_SUFFIX: '-of-env' })
    await writeFile(project.path('disk.img'), 'text')
    const { stderr } = await project.run(
      [
        ...flags,
        'backup',
        'disk.img',
        '--shelf-suffix',
        '-of-line',
        '--store=shelf:store',
        '--create',
        ...network,
      ],
      { SHELF_SUFFIX: '-of-env' },
    )
    expect(JSON.parse(stderr.split('\n')[0] ?? '')).toEqual({
      flags: { 'shelf-suffix': '-of-line', 'shelf-limit': 65_536, 'shelf-loud': true },
      create: true,
      network: { timeoutMs: 5000, retries: 2, retryDeadlineMs: 60_000 },
    })
    expect((await readdir(project.path('store'))).sort()).toEqual(['shelf-of-env', 'shelf-of-line'])
  })

  it('rejects a URL and the value of a flag before anything is done', async () => {
    await project.install('stowage-backup-shelf', shelfBackend)
    const url = await project.run(['backup', 'missing.img', '--store', 'shelf:'])
    expect(url).toMatchObject({ exitCode: 2, stdout: '' })
    expect(url.stderr).toContain('The URL "shelf:" names no directory.')
    expect(url.stderr).toContain('Stores of this backend: shelf:DIRECTORY')
    const value = await project.run(['list', '--store', 'shelf:x', '--shelf-limit', 'lots'])
    expect(value).toMatchObject({ exitCode: 2 })
    expect(value.stderr).toContain('"lots" is not a size')
  })

  it('is in the help together with the ones of the command', async () => {
    await project.install('stowage-backup-shelf', shelfBackend)
    for (const args of [['--help'], ['backup', '--help']]) {
      const { stdout } = await project.run([...args, '--store', 'shelf:store'])
      expect(stdout).toMatch(/^ {2}shelf:DIRECTORY +stowage-backup-shelf$/m)
      expect(stdout).toMatch(
        /^Options of shelf: stores:\n {2}--shelf-suffix <text> +the suffix of the folders/m,
      )
      expect(stdout).toMatch(/^Options of swift: stores:\n {2}--os-cloud <name> /m)
      expect(stdout).toMatch(/^ {2}posix:\/backups, file:\/\/\/backups +@stowage\/backup-posix$/m)
    }
    expect((await project.run(['--help'])).stdout).not.toContain('shelf')
  })

  it('is found in a parent of the working directory, in npm’s global installation, and by NODE_PATH', async () => {
    const list = ['list', '--store', 'shelf:store']
    const globally = project.path('prefix/lib')
    await project.install('stowage-backup-shelf', shelfBackend, { into: globally })
    await mkdir(project.path('prefix/lib/node_modules/@stowage'), { recursive: true })
    await symlink(
      project.path('node_modules/@stowage/backup-core'),
      project.path('prefix/lib/node_modules/@stowage/backup-core'),
    )
    expect((await project.run(list)).stderr).toContain('code: STORE_UNKNOWN')
    expect((await project.run(list, { npm_config_prefix: project.path('prefix') })).exitCode).toBe(0)
    expect((await project.run(list, { NODE_PATH: project.path('prefix/lib/node_modules') })).exitCode).toBe(0)
    await mkdir(project.path('prefix/lib/deep/er'), { recursive: true })
    expect((await start(project.path('prefix/lib/deep/er'), list).ended).exitCode).toBe(0)
  })

  it('may be a CommonJS package with a main entry, whose core is another copy than that of the command', async () => {
    const code = shelfBackend
      .replaceAll(/^import (\{.*\}) from ('.*')$/gm, 'const $1 = require($2)')
      .replace('export const stowageBackend', 'exports.stowageBackend')
    await project.install('stowage-backup-shelf', code, { manifest: { type: 'commonjs', main: './index' } })
    await writeFile(project.path('disk.img'), noise(4, 100_000))
    const env = { STOWAGE_STORE: 'shelf:store' }
    const backup = await project.run(['backup', 'disk.img', '--create', '-q'], env)
    expect(backup).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await project.run(['verify', backup.stdout.trim(), '--level', 'full'], env)).toMatchObject({
      exitCode: 0,
    })
  })

  it('is a module that --backend or STOWAGE_BACKENDS names', async () => {
    await writeFile(project.path('mine.mjs'), shelfBackend)
    const list = ['list', '--store', 'shelf:store']
    expect((await project.run([...list, '--backend', 'shelf=./mine.mjs'])).exitCode).toBe(0)
    expect((await project.run(list, { STOWAGE_BACKENDS: 'x=y,shelf=./mine.mjs' })).exitCode).toBe(0)
    const flags = ['--shelf-suffix', '-x', '--backend', 'shelf=./mine.mjs']
    expect((await project.run([...list, ...flags])).exitCode).toBe(0)
  })
})

describe('a compressor package of others', () => {
  it('compresses a backup by the name of its algorithm, and is found by that name at a restore', async () => {
    await project.install('stowage-compression-runs', runCompressor)
    const disk = Buffer.concat([Buffer.alloc(200_000, 'a'), noise(3, 100_000)])
    await writeFile(project.path('disk.img'), disk)
    const env = { STOWAGE_STORE: 'posix:store' }
    await project.run(['init'], env)
    const options = ['--compression', 'runs', '--chunk-size', '128K', '-q']
    const backup = await project.run(['backup', 'disk.img', ...options], env)
    const id = backup.stdout.trim()
    const shown = JSON.parse((await project.run(['show', id, '--json'], env)).stdout) as object
    expect(shown).toMatchObject({ compressions: ['none', 'runs'], cinderRestores: false })
    expect(await project.run(['restore', id, 'back.img'], env)).toMatchObject({ exitCode: 0 })
    expect((await readFile(project.path('back.img'))).equals(disk)).toBe(true)
  })

  it('is a module that --compressor names, and its absence fails a restore before anything is written', async () => {
    await writeFile(project.path('mine.mjs'), runCompressor)
    await writeFile(project.path('disk.img'), Buffer.alloc(100_000, 'a'))
    const env = { STOWAGE_STORE: 'posix:store', STOWAGE_COMPRESSORS: 'runs2=./mine.mjs' }
    await project.run(['init'], env)
    const id = (await project.run(['backup', 'disk.img', '--compression', 'runs2', '-q'], env)).stdout.trim()
    const missing = await project.run(['restore', id, 'back.img'], { STOWAGE_STORE: 'posix:store' })
    expect(missing).toMatchObject({ exitCode: 1 })
    expect(missing.stderr).toContain(
      'npm install @stowage/compression-runs2, or npm install stowage-compression-runs2',
    )
    expect(await readdir(project.directory)).not.toContain('back.img')
    const chosen = ['--compressor', 'runs2=./mine.mjs']
    const found = await project.run(['restore', id, 'back.img', ...chosen], { STOWAGE_STORE: 'posix:store' })
    expect(found).toMatchObject({ exitCode: 0 })
  })
})
