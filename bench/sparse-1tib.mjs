#!/usr/bin/env node
// A sparse volume of 1 TiB, made with truncate and given a little data: backed up and restored, with time and peak
// memory, and compared. See README.md.
import { randomUUID } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Berths } from './lib/berth.mjs'
import { builtCommand, stowage } from './lib/clients/stowage.mjs'
import { requireSame } from './lib/compare-volumes.mjs'
import { machine } from './lib/machine.mjs'
import { measure } from './lib/measured-process.mjs'
import { formatSize, parseSize } from './lib/sizes.mjs'
import { openStore } from './lib/stores/place.mjs'
import { table } from './lib/table.mjs'
import { Volumes } from './lib/volumes.mjs'
import { Closing, openWorkplace, runAndClose } from './lib/workplace.mjs'

const usage = `usage: node bench/sparse-1tib.mjs [options]

  --size SIZE        of the volume [1T]
  --data SIZE        how much data is scattered in it [64M]
  --store KIND       swift or posix [posix]
  --compression ALGORITHM [zlib]
  --chunk-size SIZE  [50M]
  --block-size SIZE  [32K]
  --incremental      backs it up once more, unchanged
  --node PATH        the Node.js that runs Stowage [this one]
  --cli PATH         the built command [packages/cli/dist/bin.js]
  --option=TEXT      an option to add to each call of Stowage; may be repeated
  --seed TEXT        decides the data [stowage]
  --work DIR         where volumes are made, and kept for the next run [a temporary directory]
  --json FILE        writes all figures
  --quick            4G with 8M of data: shows that everything runs, measures nothing
`

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1T' },
    data: { type: 'string', default: '64M' },
    store: { type: 'string', default: 'posix' },
    compression: { type: 'string', default: 'zlib' },
    'chunk-size': { type: 'string', default: '50M' },
    'block-size': { type: 'string', default: '32K' },
    incremental: { type: 'boolean', default: false },
    seed: { type: 'string', default: 'stowage' },
    work: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    cli: { type: 'string', default: builtCommand },
    option: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** 2.5 GB, which the hashes of 1 TiB (32 bytes a block of 32 KiB: 1 GiB) leave room in. */
const mostMib = 2.5e9 / 2 ** 20

const client = stowage({ node: values.node, command: values.cli, extra: values.option })
const closing = new Closing()
if (values.help) console.log(usage)
else await runAndClose(closing, main)

async function main() {
  const sizeBytes = parseSize(values.quick ? '4G' : values.size)
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const store = await openStore(values.store, join(workplace.path, `store-${process.pid}`), closing)
  const berths = new Berths(store, workplace.path)
  closing.add(() => berths.removeAll())
  const volumes = new Volumes(workplace.path, { seed: values.seed, sizeBytes, say })
  const volume = await volumes.sparse(sizeBytes, parseSize(values.quick ? '8M' : values.data))

  const berth = await berths.open('sparse')
  const { place, scratch } = berth
  const job = {
    ...{ place, scratch, volumePath: volume.path, word: values.compression },
    ...{ volumeId: randomUUID(), backupId: randomUUID() },
    chunkSizeBytes: parseSize(values['chunk-size']),
    blockSizeBytes: parseSize(values['block-size']),
  }
  const target = join(scratch, 'restored')
  /** @type {{ name: string, command: import('./lib/measured-process.mjs').Command }[]} */
  const steps = [
    { name: 'backup', command: await client.backup(job) },
    ...(values.incremental
      ? [
          {
            name: 'incremental, unchanged',
            command: await client.backup({ ...job, parentId: job.backupId, backupId: randomUUID() }),
          },
        ]
      : []),
    { name: 'restore', command: await client.restore({ ...job, target }) },
  ]
  const results = []
  for (const { name, command } of steps) {
    say(name)
    const measured = await measure(command, workplace.path)
    results.push({
      name,
      ...measured,
      ...(name === 'restore' ? {} : client.said(measured.stdout)),
      stdout: undefined,
    })
  }
  say('comparing')
  await requireSame(volume.path, target)
  const allocated = formatSize(statSync(target).blocks * 512)
  const rows = results.map(({ name, wallSeconds, cpuSeconds, peakRssMib, objectCount }) => [
    name,
    wallSeconds.toFixed(1),
    cpuSeconds.toFixed(1),
    peakRssMib.toFixed(0),
    objectCount === undefined ? '' : String(objectCount),
    peakRssMib <= mostMib ? 'within 2.5 GB' : 'MISSED: more than 2.5 GB',
  ])
  console.log(`${formatSize(sizeBytes)}, ${volume.what}, ${values.compression}, ${store.what}`)
  console.log(table(['', 'wall s', 'CPU s', 'peak MiB', 'objects', ''], rows))
  console.log(`→ the restored volume is the same, and takes ${allocated} of disk`)
  if (values.json !== undefined) {
    const report = { machine: machine(), sizeBytes, store: store.what, results }
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  }
}

/** @param {string} line */
function say(line) {
  console.error(`· ${line}`)
}
