#!/usr/bin/env node
/**
 * A first look at Stowage: backs a disk up, changes it, backs it up again, and restores both states.
 *
 *   npm run quickstart                 makes a disk image of its own
 *   npm run quickstart -- my-disk.img  takes a copy of yours
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDiskImage, sha256Of } from './quickstart/disk-image.mjs'
import { capture } from './quickstart/run.mjs'
import { prepare } from './quickstart/toolchain.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const playground = join(root, '.quickstart')
const bin = join(root, 'packages', 'cli', 'dist', 'bin.js')
const store = 'posix:store'

const isTerminal = process.stdout.isTTY && process.env.NO_COLOR === undefined
const styled = (code) => (text) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = styled('1')
const dim = styled('2')
const green = styled('32')

const say = (text = '') => console.log(text)
const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0)} MiB`
const objects = ({ objectCount }) => `${objectCount} ${objectCount === 1 ? 'object ' : 'objects'}`
const headline = (text) => say(`\n${bold(text)}`)

/** Runs the command as anybody would type it, in the playground, and shows what it says. */
async function stowage(...args) {
  say(dim(`  $ stowage ${args.join(' ')}`))
  const said = await capture(process.execPath, [bin, ...args], { cwd: playground, env: environment })
  for (const line of said.trimEnd().split('\n')) say(`    ${line}`)
}

/** The same, for facts: nothing is shown. */
async function facts(...args) {
  return JSON.parse(
    await capture(process.execPath, [bin, ...args, '--json'], { cwd: playground, env: environment }),
  )
}

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('STOWAGE_')),
)

function storedBytesOf({ container }) {
  const directory = join(playground, 'store', container)
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

async function restoreAndCompare(backup, target, expected) {
  await stowage('restore', backup.id.slice(0, 8), target, '--store', store)
  const found = await sha256Of(join(playground, target))
  if (found !== expected) {
    throw new Error(`${target} differs from the disk that was backed up: SHA-256 ${found}, not ${expected}.`)
  }
  say(`    ${green('✔')} the same, byte for byte: SHA-256 ${expected.slice(0, 16)}…`)
}

async function tour(given) {
  const startMs = performance.now()
  await rm(playground, { recursive: true, force: true })
  await mkdir(playground)

  headline('1. A disk')
  const disk = await makeDiskImage(playground, given)
  const sizeBytes = statSync(disk.path).size
  say(`    ${relative(root, disk.path)}: ${megabytes(sizeBytes)}, ${disk.kind}`)
  const firstState = await sha256Of(disk.path)

  headline('2. Back it up')
  await stowage('init', '--store', store)
  await stowage('backup', 'disk.img', '--store', store, '--name', 'first')

  headline('3. The disk changes')
  say(`    ${await disk.change()}`)
  const secondState = await sha256Of(disk.path)
  if (firstState === secondState) throw new Error('The disk did not change: there is nothing to show.')

  headline('4. Back up what changed')
  await stowage('backup', 'disk.img', '--store', store, '--incremental', '--name', 'second')

  headline('5. What is in the store')
  await stowage('list', '--store', store)
  const [first, second] = await facts('list', '--store', store)

  headline('6. Is it all there, and all right?')
  await stowage('verify', second.id.slice(0, 8), '--store', store, '--level', 'full')

  headline('7. Restore both states')
  await restoreAndCompare(first, 'first.img', firstState)
  await restoreAndCompare(second, 'second.img', secondState)
  if (disk.look) {
    say(dim(`  $ ${disk.lookCommand('second.img')}`))
    say(`    ${(await disk.look(join(playground, 'second.img'))).trimEnd()}`)
  }

  const seconds = (performance.now() - startMs) / 1000
  summary({ sizeBytes, first, second, seconds })
}

function summary({ sizeBytes, first, second, seconds }) {
  const fullBytes = storedBytesOf(first)
  const incrementalBytes = storedBytesOf(second)
  const ratio = (bytes) => `${((100 * bytes) / sizeBytes).toFixed(1)} % of the disk`
  headline('That was it')
  say(`    full         ${megabytes(fullBytes).padStart(8)} in ${objects(first)}  ${ratio(fullBytes)}`)
  say(
    `    incremental  ${megabytes(incrementalBytes).padStart(8)} in ${objects(second)}  ${ratio(incrementalBytes)}`,
  )
  say(
    `    time         ${seconds.toFixed(1).padStart(6)} s  for two backups, a verification and two restores`,
  )
  say(`\nAll of it is in ${relative(process.cwd(), playground) || '.'}; look around, or delete it. Try:`)
  say(dim(`  $ node packages/cli/dist/bin.js show ${second.id.slice(0, 8)} --store posix:.quickstart/store`))
  say(dim('  $ node packages/cli/dist/bin.js --help'))
}

try {
  const given =
    process.argv[2] === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', process.argv[2])
  if (given !== undefined && !existsSync(given)) throw new Error(`There is no ${given}.`)
  if (given?.startsWith(playground))
    throw new Error(`${playground} is emptied first: give an image from elsewhere.`)
  await prepare(root, say)
  await tour(given)
} catch (error) {
  console.error(`\nquickstart: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
