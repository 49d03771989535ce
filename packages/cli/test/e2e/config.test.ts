import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { errorOf, stowage, stowageJson } from './stowage.js'
import type { Ended } from './stowage.js'
import { noise, useWorkbench } from './workbench.js'

const bench = useWorkbench()

/** Without the configuration of the tester. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  stowage(bench.directory, args, { env: { HOME: bench.path('home'), ...env } })

const configure = (config: object, file = 'stowage.config.json'): Promise<void> =>
  writeFile(bench.path(file), JSON.stringify(config))

interface Fault {
  readonly code: string
  readonly message: string
  readonly hint?: string
}

const faultOf = async (args: readonly string[]): Promise<Fault> =>
  errorOf(await run([...args, '--json'])) as unknown as Fault

describe('a configuration file', () => {
  it('names stores and volumes, with their options', async () => {
    const disk = noise(1, 200_000)
    await mkdir(bench.path('disks'))
    await bench.write('disks/web.img', disk)
    await configure({
      stores: { nightly: { url: 'posix:store', compression: 'gzip' } },
      volumes: { 'web-db': { source: 'disks/web.img', id: 'web-1', store: 'nightly', 'chunk-size': '64K' } },
    })
    const { exitCode, stdout, stderr } = await run(['backup', 'web-db', '-q'])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    const shown = JSON.parse(
      (await run(['show', stdout.trim(), '--store', 'nightly', '--json'])).stdout,
    ) as object
    expect(shown).toMatchObject({ volumeId: 'web-1', chunkSizeBytes: 65_536, objectCount: 4 })
    expect((await run(['restore', stdout.trim(), 'back.img', '--store', 'nightly'])).exitCode).toBe(0)
    expect((await readFile(bench.path('back.img'))).equals(disk)).toBe(true)
  })

  it('gives way to the command line and the environment, and a volume goes before its store and the defaults', async () => {
    await bench.write('disk.img', Buffer.alloc(4_000_000, 'a'))
    await configure({
      stores: { nightly: { url: 'posix:store', 'chunk-size': '1M', 'block-size': '64K' } },
      volumes: { disk: { source: 'disk.img', 'chunk-size': '512K' } },
      defaults: { store: 'nightly', 'chunk-size': '2M', 'block-size': '128K', compression: 'none' },
    })
    const shown = async (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<object> =>
      JSON.parse((await run([...args, '--json'], env)).stdout) as object
    const kib = 1024
    expect(await shown(['backup', 'disk'])).toMatchObject({
      chunkSizeBytes: 512 * kib,
      blockSizeBytes: 64 * kib,
    })
    expect(await shown(['backup', 'disk.img'])).toMatchObject({ chunkSizeBytes: 1024 * kib })
    expect(await shown(['backup', 'disk.img', '--store', 'posix:store'])).toMatchObject({
      chunkSizeBytes: 2048 * kib,
      blockSizeBytes: 128 * kib,
    })
    expect(await shown(['backup', 'disk', '--chunk-size', '4M'])).toMatchObject({
      chunkSizeBytes: 4096 * kib,
    })
    const env = { STOWAGE_CHUNK_SIZE: '3M' }
    expect(await shown(['backup', 'disk'], env)).toMatchObject({ chunkSizeBytes: 3072 * kib })
  })

  it.each([
    ['stowage.config.yaml', 'defaults:\n  store: posix:store\n  json: true\n'],
    ['stowage.config.mjs', `export default { defaults: { store: 'posix:store', json: true } }`],
    ['home/.config/stowage/config.yml', 'defaults: { store: "posix:store", json: true }'],
  ])('is read from %s', async (file, text) => {
    await mkdir(bench.path('home/.config/stowage'), { recursive: true })
    await writeFile(bench.path(file), text)
    expect(await run(['list'])).toMatchObject({ exitCode: 0, stdout: '[]\n' })
  })

  it('is the one that --config or STOWAGE_CONFIG names, before that of the working directory', async () => {
    await configure({ defaults: { store: 'posix:none' } })
    await configure({ defaults: { store: 'posix:store' } }, 'other.json')
    expect((await run(['list'])).exitCode).toBe(3)
    expect((await run(['list', '--config', 'other.json'])).exitCode).toBe(0)
    expect((await run(['list'], { STOWAGE_CONFIG: bench.path('other.json') })).exitCode).toBe(0)
    await configure({ defaults: { store: 'posix:store' } })
    await mkdir(bench.path('below'))
    process.chdir(bench.path('below'))
    const ended = await stowage(process.cwd(), ['list', '--json'], { env: { HOME: bench.path('home') } })
    process.chdir(bench.directory)
    expect(errorOf(ended)).toMatchObject({
      code: 'USAGE',
      message: 'Cannot open a store: --store is not set.',
    })
  })

  it('names the packages of backends and compressors, relative to its folder', async () => {
    await mkdir(bench.path('conf'))
    const backend = `export const stowageBackend = {
      schemes: ['x'], urlSyntax: ['x:'], flags: { 'x-file': { description: 'a file' } },
      checkUrl() {}, async open(_, { flags }) { throw new Error('opened with ' + flags['x-file']) },
    }`
    await writeFile(bench.path('conf/mine.mjs'), backend)
    const stores = { shelf: { url: 'x:', 'x-file': 'of-config' } }
    await configure({ stores, backends: { x: './mine.mjs' }, compressors: { y: './y.mjs' } }, 'conf/c.json')
    const list = ['list', '--store', 'shelf', '--config', 'conf/c.json']
    expect((await faultOf(list)).message).toContain('opened with of-config')
    const byDefault = { stores, backends: { x: './mine.mjs' }, defaults: { store: 'shelf' } }
    await configure(byDefault, 'conf/d.json')
    const env = { STOWAGE_STORE: '', STOWAGE_CONFIG: 'conf/d.json' }
    expect((await run(['list', '--x-file', 'of-line'], env)).stderr).toContain('opened with of-line')
    expect((await faultOf([...list, '--x-file', 'of-line'])).message).toContain('opened with of-line')
    expect((await faultOf([...list, '--backend', 'x=./other.mjs'])).message).toContain(
      './other.mjs: the file does not exist',
    )
    const backup = [
      'backup',
      'x.img',
      '--compression',
      'y',
      '--store',
      'posix:store',
      '--config',
      'conf/c.json',
    ]
    expect((await faultOf(backup)).message).toContain('conf/y.mjs: the file does not exist')
  })

  it('does not hide what the command says about a store that it does not have', async () => {
    await configure({ stores: { nightly: { url: 'posix:store' } } })
    const fault = await faultOf(['list', '--store', 'weekly'])
    expect(fault).toMatchObject({ code: 'USAGE', exitCode: 2 })
    expect(fault.message).toContain('"weekly" is not a store URL, and not a store of')
    expect(fault.hint).toContain('Stores there: nightly.')
  })
})

describe('a configuration that is not valid', () => {
  const nightly = { url: 'posix:store' }

  it.each([
    [{ store: {} }, 'store is not known. Known are stores,'],
    [{ stores: [] }, 'stores must be an object.'],
    [{ stores: { nightly: {} } }, 'stores.nightly.url is missing.'],
    [{ stores: { 'a:b': nightly } }, 'stores.a:b must have a name without a colon.'],
    [
      { stores: { nightly: { ...nightly, timeout: [1] } } },
      'stores.nightly.timeout must be a text, a number, true or false.',
    ],
    [
      { stores: { nightly: { ...nightly, timeout: '5 fortnights' } } },
      'stores.nightly.timeout is not valid. "5 fortnights" is not a time.',
    ],
    [
      { stores: { nightly: { ...nightly, 'os-cloud': 'prod' } } },
      'stores.nightly.os-cloud is an option of swift: stores.',
    ],
    [
      { stores: { nightly }, defaults: { concurency: 3 } },
      'defaults.concurency is not an option that a configuration may have.',
    ],
    [
      { stores: { nightly }, defaults: { overwrite: true } },
      'defaults.overwrite is not an option that a configuration may have.',
    ],
    [{ stores: { nightly }, defaults: { json: 'yes' } }, 'defaults.json must be true or false.'],
    [
      { stores: { nightly }, defaults: { strict: 'nova' } },
      'defaults.strict is not valid. Allowed choices are cinder.',
    ],
    [{ volumes: { disk: {} } }, 'volumes.disk.source is missing.'],
    [{ backends: { x: 1 } }, 'backends.x must be a text that is not empty.'],
  ])('is rejected with the file and the path of the key: %#', async (config, message) => {
    await configure(config)
    const fault = await faultOf(['list', '--store', 'nightly'])
    expect(fault).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 })
    expect(fault.message).toContain(`${bench.path('stowage.config.json')}: ${message}`)
  })

  it.each([
    ['none.json', 'ENOENT'],
    ['broken.json', 'JSON'],
    ['config.toml', 'its name must end with'],
  ])('is rejected where it cannot be read: %s', async (file, why) => {
    await writeFile(bench.path('broken.json'), '{')
    const fault = await faultOf(['list', '--config', file])
    expect(fault).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 })
    expect(fault.message).toContain(bench.path(file))
    expect(fault.message).toContain(why)
    expect((await run(['--help', '--config', file])).exitCode).toBe(0)
  })

  it('may have options of other commands and of other backends among its defaults', async () => {
    await configure({
      defaults: { store: 'posix:store', 'os-cloud': 'prod', level: 'full', compression: 'zstd' },
    })
    expect(await stowageJson(bench.directory, ['list'])).toEqual([])
  })
})
