import { PosixBackupDriver } from '@stowage/backup-posix'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/index.js'
import { stowage, stowageJson } from './stowage.js'
import type { Ended } from './stowage.js'
import { noise, noticeAfterMs } from './workbench.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const bin = join(root, 'packages/cli/dist/bin.js')

/** The backup that the examples name. */
const backupId = '7a1c43b0-4c0d-4d4e-9a43-1f1d0a0c6c55'

/** What stands in for the things of a real machine. Everything else is run as it is written. */
const replacements: readonly (readonly [what: string | RegExp, by: string])[] = [
  ['posix:/backups', 'posix:backups'],
  [/\bBACKUP_ID\b/g, backupId],
  // Files: nobody has such devices, and a test has no right to others.
  ['/dev/vg0/snap', 'snap'],
  ['/dev/vdb', 'vdb'],
  // The size of that file.
  ['--size 40G', '--size 4M'],
]

/** Lines of shell that are not run here, each with its reason. */
const notRun: readonly (readonly [line: RegExp, why: string])[] = [
  [
    /^npm (i|install)( |$)/,
    'installs from the registry; check:packages installs the packages from their tarballs',
  ],
  [/^(npm (run [a-z:-]+|test|ci)|npx vitest)\b/, 'is of the repository: the tests themselves run so'],
  [/^npm pack /, 'packs the packages; check:packages does too'],
  [/\bswift:\/\//, 'is of Swift: readme-swift.test.ts runs the examples of the README in a Swift of its own'],
  [/\bs3:\/\//, 'is of S3: s3.test.ts runs the command on an S3 of its own'],
  [
    /^(npm init |npx tsx --test )/,
    'is for the files of the guide to backends; check:packages and backup-testkit compile and test them',
  ],
  [/^(sudo )?apt(-get)? /, 'changes the machine'],
]

/** Programs of examples that are not on every machine. Where one is missing, its examples are only parsed. */
const rarePrograms = ['nbdcopy', 'qemu-nbd']

interface Example {
  readonly line: string
  /** Where it is, for the name of the test. */
  readonly origin: string
}

/** The documents that users read. */
function documents(): string[] {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  const docs = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)
  return ['README.md', 'CONTRIBUTING.md', 'examples/README.md', ...packages, ...docs].filter((path) =>
    path.endsWith('.md'),
  )
}

/** The lines of a document's blocks of shell, without comments. */
function shellExamples(path: string): Example[] {
  const text = readFileSync(join(root, path), 'utf8')
  return [...text.matchAll(/^```(?:sh|bash|shell|console)\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
      .filter((line) => line !== '')
      .map((line) => ({ line: line.replace(/^\$ /, ''), origin: path })),
  )
}

async function helpOf(command: string): Promise<string> {
  let help = ''
  await main([...(command === '' ? [] : [command]), '--help'], {
    stdin: Readable.from([]),
    stdout: { write: (text) => (help += text) },
    stderr: { write: () => undefined },
    env: {},
  })
  return help
}

/** The lines after a `$` in the help of a command. */
async function helpExamples(command: string): Promise<Example[]> {
  const help = await helpOf(command)
  const origin = `stowage ${command} --help`.replace('  ', ' ')
  return [...help.matchAll(/^ +\$ (.*)$/gm)].map(([, line = '']) => ({ line, origin }))
}

const generalHelp = await helpOf('')
const commands = [...(/^Commands:\n(.*?)^$/ms.exec(generalHelp)?.[1] ?? '').matchAll(/^ {2}([a-z]+) /gm)]
  .map(([, name = '']) => name)
  .filter((name) => name !== 'help')

const fromHelp = await Promise.all(['', ...commands].map(helpExamples))
const fromDocuments = documents().map(shellExamples)
const pages = [...fromHelp, ...fromDocuments].filter((examples) => examples.length > 0)

function isRun({ line }: Example): boolean {
  return !notRun.some(([pattern]) => pattern.test(line))
}

function missingProgram({ line }: Example): string | undefined {
  return rarePrograms.find(
    (program) => line.includes(program) && spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  )
}

describe('the examples', () => {
  it('are found in the help of every command, and in the documents that show the command', () => {
    expect(commands.length).toBeGreaterThan(8)
    for (const [index, examples] of fromHelp.entries()) {
      expect({ command: commands[index - 1], count: examples.length }).not.toMatchObject({ count: 0 })
    }
    for (const path of ['README.md', 'packages/cli/README.md']) {
      expect(shellExamples(path).filter(({ line }) => line.includes('stowage ')).length).toBeGreaterThan(5)
    }
  })

  it('hide no conversion by qemu-img into a pipe, which cannot work', () => {
    for (const { line } of pages.flat()) expect(line).not.toMatch(/qemu-img .*\/dev\/stdout/)
  })
})

let prepared = ''
beforeAll(async () => {
  prepared = join(await mkdtemp(join(tmpdir(), 'stowage-examples-')), 'prepared')
  await mkdir(prepared)
  const startedIn = process.cwd()
  process.chdir(prepared)
  await prepare(prepared)
  process.chdir(startedIn)
}, noticeAfterMs)
afterAll(async () => {
  await rm(join(prepared, '..'), { recursive: true, force: true })
})

describe.each(pages.map((examples) => [examples[0]?.origin ?? '', examples] as const))(
  'the examples of %s',
  { timeout: noticeAfterMs },
  (_origin, examples) => {
    it.runIf(examples.some(isRun))('work, one after the other', async () => {
      const directory = await mkdtemp(join(prepared, '..', 'run-'))
      await cp(prepared, directory, { recursive: true })
      const lines = examples.filter(isRun)
      // Without anything for a shell to do, the command runs in this process: one of its own takes ten times as long.
      const plain = lines.every(({ line }) => /^stowage [\w:/. -]+$/.test(line))
      const ended = await (plain ? runHere(directory, lines) : runShell(directory, lines))
      expect(ended, ended.stderr).toMatchObject({ exitCode: 0 })
    })
  },
)

function replaced(line: string): string {
  return replacements.reduce((text, [what, by]) => text.replaceAll(what, by), line)
}

/** A directory with all that the examples name: a store, disks, a device, a record, an image, other machines. */
async function prepare(directory: string): Promise<void> {
  const path = (name: string): string => join(directory, name)
  await using driver = new PosixBackupDriver({ path: path('backups') })
  await driver.createStore()
  const disk = noise(1, 1_700_000)
  await writeFile(path('disk.img'), disk)
  await writeFile(path('vdb'), disk)
  await writeFile(path('vm.img.gz'), gzipSync(disk))
  await writeFile(path('snap'), disk)
  await truncate(path('snap'), 4 * 1024 * 1024)
  const store = ['--store', 'posix:backups']
  await stowageJson(directory, [
    'backup',
    'disk.img',
    ...store,
    '--volume-id',
    'other',
    '--backup-id',
    backupId,
  ])
  const record = await stowageJson(directory, ['export', backupId, ...store])
  await writeFile(path('record.json'), JSON.stringify(record))
  spawnSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', 'disk.img', 'vm.qcow2'], { cwd: directory })
  await mkdir(path('bin'))
  await writeFile(path('bin/stowage'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
  await writeFile(path('bin/ssh'), '#!/bin/sh\nshift\nexec "$@"\n')
  for (const program of ['stowage', 'ssh']) await chmod(path(`bin/${program}`), 0o755)
}

type Outcome = Pick<Ended, 'exitCode' | 'stderr'>

async function runHere(directory: string, examples: readonly Example[]): Promise<Outcome> {
  const startedIn = process.cwd()
  process.chdir(directory)
  try {
    for (const { line } of examples) {
      const [, ...args] = replaced(line).split(' ')
      const ended = await stowage(directory, args)
      if (ended.exitCode !== 0) return { ...ended, stderr: `${line}\n${ended.stderr}` }
    }
    return { exitCode: 0, stderr: '' }
  } finally {
    process.chdir(startedIn)
  }
}

async function runShell(directory: string, examples: readonly Example[]): Promise<Outcome> {
  const { PATH = '', HOME = '' } = process.env
  const lines = examples.map((example) => {
    const line = replaced(example.line)
    // Parsed by the shell all the same.
    return missingProgram(example) === undefined ? line : `if false; then ${line}; fi`
  })
  // -x: the last line of stderr before the error is the example that failed.
  const script = ['set -euxo pipefail', ...lines].join('\n')
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-c', script],
      { cwd: directory, env: { PATH: `${join(directory, 'bin')}${delimiter}${PATH}`, HOME } },
      (error, _stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code) : 0, stderr })
      },
    )
  })
}
