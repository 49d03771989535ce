#!/usr/bin/env node
// `npm run bench:limits`: the store taken away. Sets the engine, from memory into a sink, beside what the hashes allow on
// all cores, and the Swift driver beside a bare PUT. See README.md.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from './lib/machine.mjs'
import { measure } from './lib/measured-process.mjs'
import { median } from './lib/median.mjs'
import { parseSize } from './lib/sizes.mjs'
import { table } from './lib/table.mjs'
import { Volumes } from './lib/volumes.mjs'
import { Closing, openWorkplace, runAndClose } from './lib/workplace.mjs'

const usage = `usage: npm run bench:limits -- [options]

  --size SIZE        of the volumes [512M]
  --rounds N         [3]
  --chunk-size SIZE  [50M]
  --block-size SIZE  [32K]
  --node PATH        the Node.js that runs Stowage [this one]
  --seed TEXT        decides the data [stowage]
  --work DIR         where volumes are made, and kept for the next run [a temporary directory]
  --json FILE        writes all figures
  --quick            32M, chunks of 4M: shows that everything runs, measures nothing
`

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '512M' },
    rounds: { type: 'string', default: '3' },
    'chunk-size': { type: 'string', default: '50M' },
    'block-size': { type: 'string', default: '32K' },
    seed: { type: 'string', default: 'stowage' },
    work: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** How much of what the hashes allow a backup without a store has to reach. */
const wantedShare = 0.85

const closing = new Closing()
if (values.help) console.log(usage)
else await runAndClose(closing, main)

async function main() {
  const sizeBytes = parseSize(values.quick ? '32M' : values.size)
  const chunkSize = String(parseSize(values.quick ? '4M' : values['chunk-size']))
  const blockSize = String(parseSize(values['block-size']))
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const volumes = new Volumes(workplace.path, { seed: values.seed, sizeBytes, say })
  const url = await startServer()
  /** @type {Record<string, any[]>} */
  const report = {}
  for (const volume of [await volumes.random(), await volumes.mixed()]) {
    // The limit that each is set against comes before it.
    const parts = [
      {
        name: 'SHA-256 a block and MD5 a chunk, all cores',
        args: ['hashes', volume.path, chunkSize, blockSize],
      },
      { name: 'backup, memory → sink', of: 0, args: ['backup-to-sink', volume.path, chunkSize, blockSize] },
      { name: 'bare PUT, 1 in flight', args: ['bare-put', volume.path, chunkSize, url, '1'] },
      { name: 'bare PUT, 3 in flight', args: ['bare-put', volume.path, chunkSize, url, '3'] },
      {
        name: 'backup, memory → server',
        of: 0,
        args: ['backup-to-server', volume.path, chunkSize, blockSize, url],
      },
      { name: 'MD5 a chunk, all cores', args: ['hashes', volume.path, chunkSize, '0'] },
      // Its backup has warmed the process: only the second pass can be set beside another.
      {
        name: 'restore, memory → nowhere',
        of: 5,
        warmOnly: true,
        args: ['restore-to-nowhere', volume.path, chunkSize, blockSize],
      },
    ]
    const rows = await runParts(parts, values.quick ? 1 : Number(values.rounds), workplace.path)
    report[volume.name] = rows
    console.log(`\n${volume.what}, ${values.quick ? 'quick: no figure counts' : values.size}`)
    console.log(describe(rows, sizeBytes))
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine: machine(), sizeBytes, ...report }, null, 2)}\n`)
  }
}

/**
 * @param {{ name: string, of?: number, warmOnly?: boolean, args: string[] }[]} parts
 * @param {number} rounds
 * @param {string} scratch
 */
async function runParts(parts, rounds, scratch) {
  /** @type {any[][]} */
  const runs = parts.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (const [
      index,
      {
        name,
        args: [part, ...args],
      },
    ] of parts.entries()) {
      const program = fileURLToPath(new URL(`lib/limits/${part}.mjs`, import.meta.url))
      const measured = await measure({ argv: [values.node, program, ...args] }, scratch)
      runs[index]?.push({ ...JSON.parse(measured.stdout), ...measured, stdout: undefined })
      say(`round ${round + 1}: ${name}`)
    }
  }
  const of = (/** @type {number} */ index, /** @type {string} */ figure) =>
    median((runs[index] ?? []).map((run) => run[figure]))
  return parts.map(({ name, of: limit, warmOnly = false }, index) => ({
    name,
    coldSeconds: warmOnly ? undefined : of(index, 'coldSeconds'),
    warmSeconds: of(index, 'warmSeconds'),
    cpuSeconds: of(index, 'cpuSeconds'),
    peakRssMib: of(index, 'peakRssMib'),
    ...(limit === undefined
      ? {}
      : {
          coldShare: warmOnly ? undefined : of(limit, 'coldSeconds') / of(index, 'coldSeconds'),
          warmShare: of(limit, 'warmSeconds') / of(index, 'warmSeconds'),
        }),
    runs: runs[index],
  }))
}

/**
 * @param {any[]} rows
 * @param {number} sizeBytes
 */
function describe(rows, sizeBytes) {
  const speed = (/** @type {number | undefined} */ seconds) =>
    seconds === undefined ? '' : (sizeBytes / 1e6 / seconds).toFixed(0)
  const share = (/** @type {number | undefined} */ ratio) => (ratio === undefined ? '' : ratio.toFixed(2))
  const head = ['', 'cold MB/s', 'warm MB/s', 'of the limit, cold', 'warm', 'CPU s', 'peak MiB', '']
  return table(
    head,
    rows.map((row) => [
      row.name,
      speed(row.coldSeconds),
      speed(row.warmSeconds),
      share(row.coldShare),
      share(row.warmShare),
      row.cpuSeconds.toFixed(2),
      row.peakRssMib.toFixed(0),
      row.name.includes('sink') ? verdict(row) : '',
    ]),
  )
}

/** @param {{ coldShare: number, warmShare: number }} row */
function verdict({ coldShare, warmShare }) {
  if (values.quick) return ''
  const reached = (/** @type {number} */ ratio) => (ratio >= wantedShare ? 'reached' : 'MISSED')
  return `floor ${wantedShare}: cold ${reached(coldShare)}, warm ${reached(warmShare)}`
}

/** Another process, so that the server's work is not in the client's accounts. */
async function startServer() {
  const program = fileURLToPath(new URL(join('lib', 'limits', 'discarding-server.mjs'), import.meta.url))
  const server = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  closing.add(async () => {
    const exit = once(server, 'exit')
    server.stdin.end()
    await exit
  })
  const [line] = await once(server.stdout.setEncoding('utf8'), 'data')
  return String(line).trim()
}

/** @param {string} line */
function say(line) {
  console.error(`· ${line}`)
}
