import { mkdir, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { runCompressor, shelfBackend, useProject } from './third-party.js'

const project = useProject()
const list = ['list', '--store', 'x:store']

/** A backend that does nothing, with other properties. */
const backend = (properties: string): string => `
export const stowageBackend = {
  schemes: ['x'], urlSyntax: ['x:'], checkUrl() {}, async open() { return {} }, ${properties}
}`

async function faultOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{
  readonly code: string
  readonly exitCode: number
  readonly message: string
  readonly hint: string
}> {
  const { stderr, stdout } = await project.run([...args, '--json'], env)
  expect(stdout).toBe('')
  return (JSON.parse(stderr) as { error: { code: string; exitCode: number; message: string; hint: string } })
    .error
}

describe('a backend', () => {
  it('that is not installed is answered with the commands that install it', async () => {
    const fault = await faultOf(list)
    expect(fault).toMatchObject({ code: 'STORE_UNKNOWN', exitCode: 2 })
    expect(fault.message).toBe('No backend for "x:" is installed.')
    expect(fault.hint).toContain('npm install @stowage/backup-x, or npm install stowage-backup-x')
  })

  it('that two packages are is a conflict, which --backend resolves', async () => {
    await project.install('stowage-backup-x', backend(''))
    await project.install('@stowage/backup-x', backend(`checkUrl() { throw new Error('it was chosen') }`))
    const fault = await faultOf(list)
    expect(fault).toMatchObject({ code: 'BACKEND_AMBIGUOUS', exitCode: 2 })
    expect(fault.message).toBe('Two installed packages support "x:": @stowage/backup-x and stowage-backup-x.')
    expect(fault.hint).toContain('--backend x=stowage-backup-x')
    expect((await faultOf([...list, '--backend', 'x=@stowage/backup-x'])).message).toContain('it was chosen')
  })

  it.each([
    ['exports no stowageBackend', 'export const backend = 1', 'does not export stowageBackend'],
    ['exports a malformed one', backend('schemes: []'), 'is not valid: `schemes` must be'],
    ['lacks a package that it needs', `import 'no-such-package'`, "Cannot find package 'no-such-package'"],
    ['has a syntax error', 'export const = 1', 'SyntaxError: '],
    ['throws when it is imported', `throw new Error('not today')`, 'Error: not today'],
    ['is for other stores', backend(`schemes: ['y']`), 'does not support "x:": it supports "y:"'],
    [
      'has an option of the command',
      backend(`flags: { json: { description: 'x' } }`),
      '--json, which is one of the command',
    ],
    [
      'has an option of one command',
      backend(`flags: { level: { description: 'x' } }`),
      '--level, which is one of the command',
    ],
    [
      'has an option of another backend with another kind of value',
      backend(`flags: { 'os-cloud': { description: 'x', kind: 'boolean' } }`),
      '--os-cloud, which is one of the backend @stowage/backup-swift',
    ],
    ['returns no driver', backend(''), 'does not extend the ChunkedBackupDriver of a compatible version'],
    [
      'returns a driver of another version',
      backend(`async open() { return { [Symbol.for('@stowage/backup-core/ChunkedBackupDriver')]: 2 } }`),
      'does not extend the ChunkedBackupDriver of a compatible version',
    ],
    [
      'throws another error when it opens',
      backend(`async open() { throw new TypeError('oops') }`),
      'cannot open the store: oops',
    ],
  ])('that %s is reported, with its package', async (_what, code, message) => {
    await project.install('stowage-backup-x', code)
    const fault = await faultOf(list)
    expect(fault).toMatchObject({ code: 'BACKEND_INVALID', exitCode: 1 })
    expect(fault.message).toContain('stowage-backup-x')
    expect(fault.message).toContain(message)
    expect(fault.hint).not.toBe('')
  })

  it('that exports nothing to import is reported', async () => {
    await project.install('stowage-backup-x', backend(''), {
      manifest: { exports: { './other': './index.js' } },
    })
    expect(await faultOf(list)).toMatchObject({ code: 'BACKEND_INVALID' })
  })

  it('that cannot be loaded is the error also where its options are on the command line', async () => {
    await project.install('stowage-backup-x', 'throw new Error("not today")')
    expect((await faultOf([...list, '--x-file', 'f'])).message).toContain('not today')
  })

  it('may share an option with another backend', async () => {
    const cloud = `flags: { 'os-cloud': { description: 'x' } }, async open(_, { flags }) { throw flags['os-cloud'] }`
    await project.install('stowage-backup-x', backend(cloud))
    expect((await faultOf([...list, '--os-cloud', 'prod'])).message).toContain('cannot open the store: prod')
    expect((await project.run(['--help', ...list])).stdout).toMatch(/^Options of x: stores:\n {2}--os-cloud/m)
  })

  it('of the command is not replaced by a package in the working directory', async () => {
    for (const name of [
      '@stowage/backup-posix',
      'stowage-backup-posix',
      'stowage-backup-file',
      '@stowage/backup-file',
    ])
      await project.install(name, 'throw new Error("it was replaced")')
    for (const scheme of ['posix:', 'file://']) {
      const { stderr } = await project.run(['list', '--store', `${scheme}${project.path('none')}`])
      expect(stderr).toContain('code: STORE_MISSING')
    }
  })

  it.each([
    ['mine.mjs', 'no package of this name is installed.', 'For a file, write ./mine.mjs.'],
    ['src/mine.js', 'no package of this name is installed.', 'For a file, write ./src/mine.js.'],
    ['./none.mjs', 'the file does not exist.', 'Give the path of a module.'],
    ['stowage-shelf', 'this package is not installed.', 'Run: npm install stowage-shelf'],
  ])('that --backend names and that does not exist is reported: %s', async (name, message, hint) => {
    await writeFile(project.path('mine.mjs'), shelfBackend)
    const fault = await faultOf([...list, '--backend', `x=${name}`])
    expect(fault).toMatchObject({ code: 'STORE_UNKNOWN', exitCode: 2 })
    expect(fault.message).toBe(`--backend x=${name}: ${message}`)
    expect(fault.hint).toContain(hint)
  })
})

describe('an option of another backend', () => {
  it('is rejected, and ignored where the environment has it', async () => {
    await mkdir(project.path('store'))
    const posix = ['list', '--store', 'posix:store']
    const fault = await faultOf([...posix, '--cinder-conf', 'cinder.conf'])
    expect(fault).toMatchObject({ code: 'USAGE', exitCode: 2 })
    expect(fault.message).toBe('--cinder-conf is an option of swift: and s3: stores; this store is posix:.')
    expect(await faultOf(posix, { STOWAGE_CINDER_CONF: 'none' })).toMatchObject({ code: 'STORE_MISSING' })
    expect((await faultOf(['list', '--os-cloud=prod'])).message).toContain('; --store is not set.')
  })
})

describe('a compressor', () => {
  const compress = ['backup', 'disk.img', '--store', 'posix:store', '--create', '--compression', 'lzma']

  it.each([
    [
      'is not installed',
      undefined,
      'npm install @stowage/compression-lzma, or npm install stowage-compression-lzma',
    ],
    ['exports no stowageCompressors', 'export const compressors = 1', 'does not export stowageCompressors'],
    ['is malformed', 'export const stowageCompressors = []', 'is not valid: it must be an object'],
    ['is for other algorithms', runCompressor, 'does not support "lzma": it supports "runs", "runs2"'],
    [
      'makes a compressor of another name',
      `export const stowageCompressors = { algorithms: ['lzma'], create: () => ({ name: 'lzma2', aliases: [] }) }`,
      'made a compressor for "lzma2", expected one for "lzma"',
    ],
    ['cannot be loaded', `import 'no-such-package'`, "Cannot find package 'no-such-package'"],
  ])('that %s fails the backup before anything is written', async (_what, code, message) => {
    await writeFile(project.path('disk.img'), 'text')
    if (code !== undefined) await project.install('stowage-compression-lzma', code)
    const fault = await faultOf(compress)
    expect(fault).toMatchObject({ code: 'COMPRESSION_UNKNOWN', exitCode: 1 })
    expect(fault.message).toContain(message)
  })

  it('that two packages are is a conflict, which --compressor resolves', async () => {
    await writeFile(project.path('disk.img'), 'text')
    const code = runCompressor.replace("'runs'", "'lzma'")
    await project.install('stowage-compression-lzma', code)
    await project.install('@stowage/compression-lzma', code)
    expect((await faultOf(compress)).message).toContain('--compressor lzma=stowage-compression-lzma')
    const chosen = await project.run([...compress, '--compressor', 'lzma=stowage-compression-lzma'])
    expect(chosen).toMatchObject({ exitCode: 0 })
  })
})
