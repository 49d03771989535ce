import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { main } from '../src/index.js'

interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

async function stowage(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const exitCode = await main(args, {
    stdin: Readable.from([]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env,
  })
  return { exitCode, stdout, stderr }
}

const commands = [
  'init',
  'backup',
  'restore',
  'list',
  'show',
  'verify',
  'copy',
  'delete',
  'gc',
  'export',
  'import',
]

describe('help', () => {
  it('names every command and exit code', async () => {
    const { exitCode, stdout } = await stowage(['--help'])
    expect(exitCode).toBe(0)
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(stdout).toContain('4    verification failed')
    expect(stdout).toContain('backup [options] <source> ')
  })

  it.each(commands)('of %s has an example and the options that every command takes', async (command) => {
    const { exitCode, stdout } = await stowage([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`$ stowage ${command === 'backup' ? 'backup disk.img' : command}`)
    expect(stdout).toContain('--json')
    expect(stdout).toContain('STOWAGE_STORE')
  })

  it('is the answer to no command at all, which is a mistake', async () => {
    const { exitCode, stdout, stderr } = await stowage([])
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('Usage: stowage')
  })
})

describe('a command line that makes no sense', () => {
  it('gets the command that was meant', async () => {
    const { exitCode, stderr } = await stowage(['bakcup', 'x'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Did you mean backup?')
    expect(stderr).toContain('hint: See stowage --help')
  })

  it.each([
    ['an unknown option', ['list', '--store', 'posix:/x', '--jsn']],
    ['a size that is none', ['backup', 'x', '--store', 'posix:/x', '--chunk-size', '5Q']],
    ['a size of nothing', ['backup', 'x', '--store', 'posix:/x', '--block-size', '0']],
    ['a gap that is none', ['backup', 'x', '--store', 'posix:/x', '--join-gap', 'wide']],
    ['a way with holes that is none', ['backup', 'x', '--store', 'posix:/x', '--holes', 'fill']],
    ['a range that is none', ['restore', 'x', 'y', '--store', 'posix:/x', '--range', '5']],
    ['a level that is none', ['verify', 'x', '--store', 'posix:/x', '--level', 'deep']],
    ['the name of no algorithm', ['backup', 'x', '--store', 'posix:/x', '--compression', '../lzma']],
    ['a choice of a backend that is none', ['list', '--store', 'x:', '--backend', 'x']],
    ['an option of another backend', ['list', '--store', 'posix:/x', '--os-cloud', 'prod']],
    ['an engine that is none', ['list', '--store', 'posix:/x', '--bz2-engine', 'wasm']],
    ['a missing argument', ['restore', 'x', '--store', 'posix:/x']],
    ['one argument too many', ['list', 'x', '--store', 'posix:/x']],
    ['two ways to name a parent', ['backup', 'x', '--store', 'posix:/x', '--incremental', '--parent', 'y']],
    ['no store', ['list']],
    ['a restore to stdout', ['restore', 'x', '-', '--store', 'posix:/x']],
    ['two sources', ['backup', 'x', 'y', '--store', 'posix:/x']],
    ['a command without --', ['backup', '--stdin-from-command', 'cat', 'x', '--store', 'posix:/x']],
    ['no command', ['backup', '--stdin-from-command', '--store', 'posix:/x', '--']],
    ['a source and a command', ['backup', 'x', '--stdin-from-command', '--store', 'posix:/x', '--', 'cat']],
    ['a size of the source that is none', ['backup', '-', '--store', 'posix:/x', '--size', 'all']],
    ['a concurrency of nothing', ['list', '--store', 'posix:/x', '--concurrency', '0']],
  ])('ends with 2 for %s', async (_what, args) => {
    const { exitCode, stdout, stderr } = await stowage(args)
    expect(stderr).toMatch(/^stowage: /)
    expect(stderr).toContain('code: USAGE')
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
  })

  it.each([
    ['stowage backup', ['--store', 'posix:/x', 'backup']],
    ['stowage list', ['--store', 'posix:/x', '-q', 'list', '--foo']],
    ['stowage list', ['--store=posix:/x', 'list', '--concurrency', '0']],
    ['stowage restore', ['restore', 'only-an-id']],
    ['stowage', ['--store', 'posix:/x', 'lst']],
    ['stowage', ['--concurrency', '0', 'lst']],
    ['stowage', ['--foo', 'bar']],
  ])('is answered with the help of the command that it names: %s', async (command, args) => {
    expect((await stowage(args)).stderr).toContain(`  hint: See ${command} --help\n`)
  })

  it('says that a command is missing, and not a source, after --stdin-from-command', async () => {
    for (const rest of [[], ['--']]) {
      const { stderr } = await stowage(['backup', '--store', 'posix:/x', '--stdin-from-command', ...rest])
      expect(stderr).toContain(
        'stowage: --stdin-from-command needs a command, after --.\n  hint: For example: ',
      )
    }
  })

  it('is reported as JSON where JSON was asked for', async () => {
    const { exitCode, stdout, stderr } = await stowage(['list', '--json'])
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    const { error } = JSON.parse(stderr) as { error: Record<string, unknown> }
    expect(error).toMatchObject({
      code: 'USAGE',
      exitCode: 2,
      message: 'Cannot open a store: --store is not set.',
    })
  })
})

describe('a source that cannot be backed up', () => {
  it('ends with 3 where there is none', async () => {
    const { exitCode, stderr } = await stowage(['backup', '/no/such/disk', '--store', 'posix:/nowhere'])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('Cannot back up /no/such/disk: it does not exist.')
    expect(stderr).toContain('code: SOURCE_NOT_FOUND')
  })

  it('ends with 3 where the file of an import is not there', async () => {
    const { exitCode, stderr } = await stowage(['import', '/no/such/record', '--store', 'posix:/nowhere'])
    expect(exitCode).toBe(3)
    expect(stderr).toBe(
      'stowage: Cannot import /no/such/record: it does not exist.\n' +
        '  hint: Name a file that stowage export or cinder backup-export wrote, or - for stdin.\n' +
        '  code: SOURCE_NOT_FOUND\n',
    )
  })

  it('ends with 2 where it is a directory', async () => {
    const { exitCode, stderr } = await stowage(['backup', '/', '--store', 'posix:/nowhere'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('code: NOT_A_FILE')
  })
})

describe('the environment', () => {
  it('stands in for an option that is not given', async () => {
    const { exitCode, stderr } = await stowage(['list', '--json'], { STOWAGE_STORE: 'posix:/nowhere/at/all' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'STORE_MISSING' } })
    expect(exitCode).toBe(3)
  })

  it('gives way to the command line', async () => {
    const { exitCode, stderr } = await stowage(['list', '--store', 'gopher:x'], {
      STOWAGE_STORE: 'posix:/nowhere/at/all',
    })
    expect(stderr).toContain('gopher:')
    expect(exitCode).toBe(2)
  })

  it('turns a flag on with 1 and leaves it off with 0', async () => {
    const store = { STOWAGE_STORE: 'posix:/nowhere/at/all' }
    expect((await stowage(['list'], { ...store, STOWAGE_JSON: '1' })).stderr).toMatch(/^\{"error":/)
    expect((await stowage(['list'], { ...store, STOWAGE_JSON: '0' })).stderr).toMatch(/^stowage: There is no/)
  })

  it.each([
    ['STOWAGE_MAX_MEMORY', 'lots'],
    ['STOWAGE_TIMEOUT', '5 fortnights'],
    ['STOWAGE_RETRIES', '-1'],
    ['STOWAGE_RETRY_DEADLINE', '0'],
    ['STOWAGE_STRICT', 'nova'],
    ['STOWAGE_QUIET', 'perhaps'],
  ])('is held to what the option takes: %s=%s', async (variable, value) => {
    const { exitCode, stderr } = await stowage(['list', '--store', 'posix:/nowhere'], { [variable]: value })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(variable)
  })
})
