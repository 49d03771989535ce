#!/usr/bin/env node
// `node bench/chunk-sizes.mjs`: what the chunk size does to a store in a directory: time, memory, and how long a job's
// progress stands still. The POSIX driver's default was chosen by it. See README.md.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
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

const usage = `usage: node bench/chunk-sizes.mjs [options]

  --size SIZE             of the volume [1G]
  --chunk-sizes N,N,…     in bytes, or with K, M or G [16M,32M,50M,64M,128M,1999994880]
  --compressions W,W,…    [none,zlib,zstd]
  --rounds N              [3]
  --node PATH             the Node.js that runs Stowage [this one]
  --work DIR              where volumes and stores are made [a temporary directory]
  --json FILE             writes all figures
`

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1G' },
    'chunk-sizes': { type: 'string', default: '16M,32M,50M,64M,128M,1999994880' },
    compressions: { type: 'string', default: 'none,zlib,zstd' },
    rounds: { type: 'string', default: '3' },
    node: { type: 'string', default: process.execPath },
    work: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const jobFile = fileURLToPath(new URL('lib/chunk-sizes/job.mjs', import.meta.url))
/** Each needs the store that those before it have left. */
const jobs = ['stream', 'backup', 'incremental', 'verify', 'restore', 'range']

const closing = new Closing()
if (values.help) console.log(usage)
else await runAndClose(closing, main)

async function main() {
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const say = (line) => console.error(line)
  const volumes = new Volumes(workplace.path, { sizeBytes: parseSize(values.size), seed: 'stowage', say })
  const { path: image } = await volumes.mixed()
  const changed = join(workplace.path, 'changed.img')
  copyFileSync(image, changed)
  await changeBlocks(changed)
  const chunkSizes = values['chunk-sizes'].split(',').map(parseSize)
  const results = []
  for (const compression of values.compressions.split(',')) {
    const runs = chunkSizes.map(() => [])
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const index of inTurn(chunkSizes.length, round)) {
        const chunkSizeBytes = chunkSizes[index]
        runs[index].push(
          await allJobs({ workplace: workplace.path, image, changed, chunkSizeBytes, compression }),
        )
      }
    }
    for (const [index, chunkSizeBytes] of chunkSizes.entries())
      results.push({ compression, chunkSizeBytes, runs: runs[index] })
  }
  report(results)
}

/** The one that begins changes from round to round. */
function inTurn(count, round) {
  return Array.from({ length: count }, (_, index) => (index + round) % count)
}

/** A thousand blocks, spread over the volume. */
async function changeBlocks(path) {
  const { open } = await import('node:fs/promises')
  const handle = await open(path, 'r+')
  const sizeBytes = (await handle.stat()).size
  for (let index = 0; index < 1000; index += 1) {
    await handle.write(Buffer.alloc(4096, index % 251), 0, 4096, Math.floor((sizeBytes / 1000) * index))
  }
  await handle.close()
}

async function allJobs({ workplace, image, changed, chunkSizeBytes, compression }) {
  const path = join(workplace, 'store')
  const target = join(workplace, 'target.img')
  const measured = {}
  for (const job of jobs) {
    rmSync(target, { force: true })
    // A backup of a file goes into a store of its own, which the jobs after it read.
    if (job === 'stream' || job === 'backup') rmSync(path, { recursive: true, force: true })
    const source = job === 'incremental' ? changed : image
    const request = JSON.stringify({ job, path, image: source, target, chunkSizeBytes, compression })
    const { stdout, wallSeconds, cpuSeconds, peakRssMib } = await measure(
      { argv: [values.node, jobFile, request] },
      workplace,
    )
    measured[job] = { wallSeconds, cpuSeconds, peakRssMib, ...JSON.parse(stdout) }
  }
  rmSync(path, { recursive: true, force: true })
  rmSync(target, { force: true })
  return measured
}

function report(results) {
  const rows = results.map(({ compression, chunkSizeBytes, runs }) => [
    compression,
    `${(chunkSizeBytes / 2 ** 20).toFixed(0)} MiB`,
    ...jobs.map((job) => cell(runs.map((run) => run[job]))),
    '',
  ])
  console.log(
    `${values.size}, medians of ${values.rounds}: seconds, peak MiB, longest time without progress\n`,
  )
  console.log(table(['', 'chunk', ...jobs, ''], rows))
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ machine: machine(), values, results }, null, 2))
}

function cell(runs) {
  const of = (name) => median(runs.map((run) => run[name]))
  return `${of('wallSeconds').toFixed(2)} s, ${of('peakRssMib').toFixed(0)}, ${(of('longestStillMs') / 1000).toFixed(2)} s`
}
