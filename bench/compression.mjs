#!/usr/bin/env node
// `npm run bench:compression`: our compressors beside Python's, which Cinder uses, and beside the programs of Debian, on
// the same data in the same run, in turn. See README.md.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { allEngines } from './lib/compression/engines.mjs'
import { checkEngine } from './lib/compression/check-engine.mjs'
import { speedReport } from './lib/compression/speed-report.mjs'
import { machine } from './lib/machine.mjs'
import { run } from './lib/measured-process.mjs'
import { median } from './lib/median.mjs'
import { parseSize } from './lib/sizes.mjs'
import { Volumes } from './lib/volumes.mjs'
import { Closing, openWorkplace, runAndClose } from './lib/workplace.mjs'

const usage = `usage: npm run bench:compression -- [options]

  --size SIZE        of the data [100M]
  --chunk-size SIZE  what is compressed at a time [50M, Cinder's default for Swift]
  --rounds N         [3]
  --only REGEX       the engines whose name it matches; Python's are always there
  --data WORDS       of mixed, text, random, zeros, with commas [all of them]
  --cores WORDS      of one, all [one,all]; one needs taskset
  --node PATH        another Node.js that runs our engines as well; may be repeated
  --json FILE        writes all figures
  --seed TEXT        decides the data [stowage]
  --work DIR         where data is made, and kept for the next run [a temporary directory]
  --quick            4M, one round: shows that everything runs, measures nothing
`

const { values } = parseArgs({
  options: {
    size: { type: 'string' },
    'chunk-size': { type: 'string', default: '50M' },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    data: { type: 'string', default: 'mixed,text,random,zeros' },
    cores: { type: 'string', default: 'one,all' },
    node: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    seed: { type: 'string', default: 'stowage' },
    work: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const closing = new Closing()
if (values.help) console.log(usage)
else await runAndClose(closing, main)

async function main() {
  const sizeBytes = parseSize(values.size ?? (values.quick ? '4M' : '100M'))
  const chunkBytes = parseSize(values['chunk-size'])
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const volumes = new Volumes(workplace.path, { seed: values.seed, sizeBytes, say })
  const only = new RegExp(values.only)
  const engines = allEngines({ nodes: [process.execPath, ...values.node], say }).filter(
    ({ name, kind }) => kind === 'python' || only.test(name),
  )
  const host = machine()
  console.log(`${host.cores} cores (${host.cpu}), Linux ${host.kernel}, Node.js ${host.node}`)
  const report = { machine: host, sizeBytes, chunkBytes, rounds, tables: /** @type {any[]} */ ([]) }
  let failures = 0
  for (const data of values.data.split(',')) {
    const volume = await volumeCalled(volumes, data)
    for (const cores of values.cores.split(',')) {
      const table = { data, cores, rows: await measureAll(engines, volume, { cores, chunkBytes, rounds }) }
      failures += table.rows.filter(({ failure }) => failure !== undefined).length
      report.tables.push(table)
      console.log(speedReport(table, { judge: !values.quick, sizeBytes }))
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
    }
  }
  return failures > 0 ? 1 : 0
}

/**
 * @param {Volumes} volumes
 * @param {string} name
 */
function volumeCalled(volumes, name) {
  if (name === 'mixed') return volumes.mixed()
  if (name === 'text') return volumes.text()
  if (name === 'random') return volumes.random()
  if (name === 'zeros') return volumes.zeros()
  throw new Error(`--data ${name}: write mixed, text, random or zeros.`)
}

/**
 * Checks each engine once, then runs them in turn; who begins changes from round to round.
 *
 * @param {readonly import('./lib/compression/engines.mjs').Engine[]} engines
 * @param {import('./lib/volumes.mjs').Volume} volume
 * @param {{ cores: string, chunkBytes: number, rounds: number }} how
 */
async function measureAll(engines, volume, { cores, chunkBytes, rounds }) {
  const pinned = cores === 'one' ? ['taskset', '-c', '0'] : []
  const scratch = join(volume.path, '..', `compression-${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  closing.add(() => rmSync(scratch, { recursive: true, force: true }))
  const rows = []
  for (const engine of engines) {
    const mostBytes = Math.min(volume.sizeBytes, engine.mostBytes ?? volume.sizeBytes)
    say(`${volume.name}, ${cores}: checking ${engine.name}`)
    const row = {
      engine,
      mostBytes,
      compress: /** @type {number[]} */ ([]),
      decompress: /** @type {number[]} */ ([]),
    }
    try {
      rows.push({ ...row, ...(await checkEngine(engine, volume, { scratch, chunkBytes, mostBytes })) })
    } catch (error) {
      rows.push({ ...row, failure: error instanceof Error ? error.message : String(error) })
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    const sound = rows.filter((row) => row.failure === undefined)
    for (let turn = 0; turn < sound.length; turn += 1) {
      const row = /** @type {any} */ (sound[(turn + round) % sound.length])
      for (const mode of /** @type {const} */ (['compress', 'decompress'])) {
        row[mode].push(row.mostBytes / (await secondsOf(row, mode, { volume, pinned, chunkBytes })))
      }
    }
    say(`${volume.name}, ${cores}: round ${round + 1} of ${rounds}`)
  }
  rmSync(scratch, { recursive: true, force: true })
  return rows.map(({ engine, compress, decompress, ...rest }) => ({
    ...rest,
    name: engine.name,
    format: engine.format,
    kind: engine.kind,
    compressBytesPerSecond: median(compress),
    decompressBytesPerSecond: median(decompress),
    runs: { compress, decompress },
  }))
}

/**
 * @param {any} row
 * @param {'compress' | 'decompress'} mode
 * @param {{ volume: import('./lib/volumes.mjs').Volume, pinned: string[], chunkBytes: number }} how
 */
async function secondsOf({ engine, mostBytes, packed }, mode, { volume, pinned, chunkBytes }) {
  const from = mode === 'compress' ? volume.path : packed
  if (engine.kind !== 'program') {
    const { stdout } = await run({
      argv: [...pinned, ...engine.argv(mode, from, '-', chunkBytes, mostBytes)],
    })
    return JSON.parse(stdout).seconds
  }
  const stdinFile =
    mode === 'compress' ? volume.path : join(packed, /** @type {string} */ (readdirSync(packed)[0]))
  if (statSync(stdinFile).size === 0) throw new Error(`${engine.name} made nothing.`)
  const { wallSeconds } = await run({
    argv: [...pinned, ...engine.argv(mode, '', '', 0, 0)],
    stdinFile,
    stdoutFile: '/dev/null',
  })
  return wallSeconds
}

/** @param {string} line */
function say(line) {
  console.error(`· ${line}`)
}
