#!/usr/bin/env node
// `npm run bench:growth`: what the commands cost in a store of few and of many backups, as whole processes. See README.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from './lib/machine.mjs'
import { measure } from './lib/measured-process.mjs'
import { median } from './lib/median.mjs'
import { table } from './lib/table.mjs'
import { Closing, openWorkplace, runAndClose } from './lib/workplace.mjs'

const usage = `usage: npm run bench:growth -- [options]

  --backups N,N,…    how many there are [10,1000,10000]
  --shape SHAPE      others: each of a volume of its own; own: fulls of the volume that is measured;
                     chain: incrementals of it, each on the one before [others]
  --rounds N         [3]
  --swift CONTAINER  a container of a Swift that OS_* variables name, CONTAINER-N for each N [a directory]
  --work DIR         where stores are made, and kept for the next run [a temporary directory]
  --json FILE        writes all figures
`

const { values } = parseArgs({
  options: {
    backups: { type: 'string', default: '10,1000,10000' },
    shape: { type: 'string', default: 'others' },
    rounds: { type: 'string', default: '3' },
    swift: { type: 'string' },
    work: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const stowage = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url))
const volumeBytes = 1024 * 1024
/** Of the volume that is measured, before anything is: a full backup and incrementals. */
const chainLength = 5

const closing = new Closing()
if (values.help) console.log(usage)
else await runAndClose(closing, main)

async function main() {
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const image = join(workplace.path, 'disk.img')
  const results = []
  for (const count of values.backups.split(',').map(Number)) {
    const url = values.swift
      ? `swift://${values.swift}-${count}`
      : `posix:${join(workplace.path, `${values.shape}-${count}`)}`
    console.error(`${url}: ${count} backups (${values.shape})`)
    await fill(url, count)
    results.push({ count, costs: await costsOf(url, image, workplace.path) })
  }
  report(results)
}

/** Makes what is not there yet: a store that is kept need not be filled again. */
async function fill(url, count) {
  const driver = await openStore(url)
  try {
    await driver.createStore()
    if ((await driver.listBackups({ volumeId: 'measured' })).length > 0) return
    for (let index = 0; index < count; index += 1) await driver.backup(requestOf(index), small(index))
    for (let index = 0; index < chainLength; index += 1) {
      await driver.backup({ volumeId: 'measured', incremental: true }, small(index))
    }
  } finally {
    await driver.close()
  }
}

async function openStore(url) {
  let time = Date.UTC(2026, 0, 1)
  const options = { clock: () => new Date((time += 1000)), chunkSizeBytes: 8 * volumeBytes }
  if (values.swift) {
    const { getBackupDriverForUrl } = await import('@stowage/backup-swift')
    return getBackupDriverForUrl(url, options)
  }
  const { PosixBackupDriver } = await import('@stowage/backup-posix')
  return new PosixBackupDriver({ ...options, path: url.replace(/^posix:/, ''), create: true, fsync: false })
}

function requestOf(index) {
  if (values.shape === 'others') return { volumeId: `volume-${index}` }
  return { volumeId: 'measured', incremental: values.shape === 'chain' }
}

function small(index) {
  const bytes = Buffer.alloc(volumeBytes)
  bytes.writeUInt32LE(index + 1, (index * 4) % volumeBytes)
  return bytes
}

async function costsOf(url, image, scratch) {
  const newest = await stowageText(['list', '--volume-id', 'measured', '--quiet'], url, scratch)
  const id = newest.trim().split('\n').at(-1)
  const commands = {
    'backup --incremental': () => ['backup', image, '--volume-id', 'measured', '--incremental'],
    'backup (full)': () => ['backup', image, '--volume-id', 'another'],
    list: () => ['list'],
    'list --volume-id': () => ['list', '--volume-id', 'measured'],
    show: () => ['show', id],
    restore: () => ['restore', id, join(scratch, 'restored.img'), '--overwrite'],
  }
  const costs = {}
  for (const [name, args] of Object.entries(commands)) {
    const runs = []
    for (let round = 0; round < Number(values.rounds); round += 1) {
      writeFileSync(image, small(round + 7))
      runs.push(await measure({ argv: argvOf(args(), url) }, scratch))
    }
    costs[name] = {
      wallSeconds: median(runs.map(({ wallSeconds }) => wallSeconds)),
      peakRssMib: median(runs.map(({ peakRssMib }) => peakRssMib)),
    }
  }
  return costs
}

function argvOf(args, url) {
  return [process.execPath, stowage, ...args, '--store', url]
}

async function stowageText(args, url, scratch) {
  return (await measure({ argv: argvOf(args, url) }, scratch)).stdout
}

function report(results) {
  const names = Object.keys(results[0].costs)
  const rows = names.map((name) => [
    name,
    ...results.map(
      ({ costs }) => `${costs[name].wallSeconds.toFixed(2)} s, ${costs[name].peakRssMib.toFixed(0)} MiB`,
    ),
    '',
  ])
  console.log(`${values.shape}, ${values.swift ? 'Swift' : 'POSIX'}, medians of ${values.rounds}\n`)
  console.log(table(['command', ...results.map(({ count }) => `${count} backups`), ''], rows))
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ machine: machine(), values, results }, null, 2))
}
