#!/usr/bin/env node
// What an object costs: volumes of 1,000, 5,000 and 20,000 chunks of 4 KiB, backed up and restored. The time that each
// further object takes has to stay the same. See README.md.
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Berths } from './lib/berth.mjs'
import { builtCommand, stowage } from './lib/clients/stowage.mjs'
import { requireSame } from './lib/compare-volumes.mjs'
import { machine } from './lib/machine.mjs'
import { measure } from './lib/measured-process.mjs'
import { median } from './lib/median.mjs'
import { parseSize } from './lib/sizes.mjs'
import { openStore } from './lib/stores/place.mjs'
import { table } from './lib/table.mjs'
import { Volumes } from './lib/volumes.mjs'
import { Closing, openWorkplace, runAndClose } from './lib/workplace.mjs'

const usage = `usage: node bench/objects.mjs [options]

  --counts N,N,…     how many objects [1000,5000,20000]
  --object-size SIZE [4K]
  --rounds N         [3]
  --store KIND       swift or posix [swift]
  --node PATH        the Node.js that runs Stowage [this one]
  --cli PATH         the built command [packages/cli/dist/bin.js]
  --option=TEXT      an option to add to each call of Stowage; may be repeated
  --seed TEXT        decides the data [stowage]
  --work DIR         where volumes are made, and kept for the next run [a temporary directory]
  --json FILE        writes all figures
  --quick            50, 100 and 200 objects, one round: shows that everything runs, measures nothing
`

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'swift' },
    counts: { type: 'string', default: '1000,5000,20000' },
    'object-size': { type: 'string', default: '4K' },
    rounds: { type: 'string', default: '3' },
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

/** A further object may take so much longer among the most than among the fewest: the noise of the machine. */
const flatWithin = 1.25

const client = stowage({ node: values.node, command: values.cli, extra: values.option })
const closing = new Closing()
if (values.help) console.log(usage)
else await runAndClose(closing, main)

async function main() {
  const counts = (values.quick ? '50,100,200' : values.counts).split(',').map(Number)
  const objectSizeBytes = parseSize(values['object-size'])
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const store = await openStore(values.store, join(workplace.path, `store-${process.pid}`), closing)
  const berths = new Berths(store, workplace.path)
  closing.add(() => berths.removeAll())

  const rounds = values.quick ? 1 : Number(values.rounds)
  const scratch = workplace.path
  /** @type {{ count: number, backup: any[], restore: any[] }[]} */
  const figures = counts.map((count) => ({ count, backup: [], restore: [] }))
  for (let round = 0; round < rounds; round += 1) {
    for (const figure of figures) {
      const sizeBytes = figure.count * objectSizeBytes
      const volume = await new Volumes(scratch, { seed: values.seed, sizeBytes, say }).random()
      const berth = await berths.open(`objects-${figure.count}`)
      const { backup, restore } = await runOnce(berth, volume.path, {
        objectSizeBytes,
        scratch,
        count: figure.count,
      })
      figure.backup.push(backup)
      figure.restore.push(restore)
      await berth.remove()
      say(
        `round ${round + 1}, ${figure.count} objects: ${backup.wallSeconds.toFixed(2)} s, ${restore.wallSeconds.toFixed(2)} s`,
      )
    }
  }
  console.log(
    `${values['object-size']} an object, ${store.what}${values.quick ? '; quick: no figure counts' : ''}`,
  )
  for (const what of /** @type {const} */ (['backup', 'restore'])) {
    console.log(`\n${what}\n${describe(figures.map((one) => ({ count: one.count, runs: one[what] })))}`)
  }
  if (values.json !== undefined) {
    const report = { machine: machine(), store: store.what, objectSizeBytes, figures }
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  }
}

/**
 * @param {import('./lib/berth.mjs').Berth} berth
 * @param {string} volumePath
 * @param {{ objectSizeBytes: number, scratch: string, count: number }} options
 */
async function runOnce({ place, scratch: own }, volumePath, { objectSizeBytes, scratch, count }) {
  const ids = { volumeId: randomUUID(), backupId: randomUUID() }
  const sizes = { chunkSizeBytes: objectSizeBytes, blockSizeBytes: objectSizeBytes }
  const job = { place, scratch: own, volumePath, word: 'none', ...ids, ...sizes }
  const backup = await measure(await client.backup(job), scratch)
  const { objectCount } = client.said(backup.stdout)
  if (objectCount !== count) throw new Error(`${objectCount} objects were stored instead of ${count}.`)
  const target = join(own, 'restored')
  const restore = await measure(
    await client.restore({ place, scratch: own, backupId: ids.backupId, target }),
    scratch,
  )
  await requireSame(volumePath, target)
  rmSync(target)
  return { backup, restore }
}

/** @param {{ count: number, runs: import('./lib/measured-process.mjs').Measurement[] }[]} lines */
function describe(lines) {
  const figures = lines.map(({ count, runs }) => ({
    count,
    wallSeconds: median(runs.map((run) => run.wallSeconds)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    peakRssMib: median(runs.map((run) => run.peakRssMib)),
  }))
  // Between two counts, so that the start of the process is in neither.
  const further = figures.slice(1).map((figure, index) => {
    const before = /** @type {typeof figure} */ (figures[index])
    return ((figure.wallSeconds - before.wallSeconds) / (figure.count - before.count)) * 1000
  })
  const rows = figures.map(({ count, wallSeconds, cpuSeconds, peakRssMib }, index) => [
    String(count),
    wallSeconds.toFixed(2),
    ((wallSeconds / count) * 1000).toFixed(2),
    further[index - 1]?.toFixed(2) ?? '',
    ((cpuSeconds / count) * 1000).toFixed(2),
    peakRssMib.toFixed(0),
    '',
  ])
  const head = ['objects', 'wall s', 'ms an object', 'ms a further one', 'CPU ms an object', 'peak MiB', '']
  if (values.quick) return table(head, rows)
  const [first = 0] = further
  const growth = (further.at(-1) ?? 0) / first
  const verdict = growth <= flatWithin ? 'flat' : `NOT flat: more than ${flatWithin}`
  return `${table(head, rows)}\n→ a further object among the most takes ${growth.toFixed(2)} of one among the fewest: ${verdict}`
}

/** @param {string} line */
function say(line) {
  console.error(`· ${line}`)
}
