#!/usr/bin/env node
// `npm run bench`: Cinder's own driver, Stowage and other tools, as whole processes, on the same data and the same real
// Swift, in turn. See README.md for what is measured and how.
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { verdictsOf } from './lib/aims.mjs'
import { Berths } from './lib/berth.mjs'
import { allClients, isInstalled } from './lib/clients/all-clients.mjs'
import { allJobs } from './lib/jobs/all-jobs.mjs'
import { builtCommand } from './lib/clients/stowage.mjs'
import { machine, versionsOf } from './lib/machine.mjs'
import { parseMemory, warmMemory } from './lib/memory.mjs'
import { jobReport, verdictReport } from './lib/report.mjs'
import { runJob } from './lib/run-job.mjs'
import { parseSize } from './lib/sizes.mjs'
import { openStore } from './lib/stores/place.mjs'
import { Volumes } from './lib/volumes.mjs'
import { Closing, openWorkplace, runAndClose } from './lib/workplace.mjs'

const usage = `usage: npm run bench -- [options]

  --size SIZE        of the volumes [512M]
  --rounds N         how often each client does each job [3]
  --only REGEX       the jobs whose name it matches
  --clients REGEX    the clients whose name it matches; Cinder and Stowage are always there
  --memory STATE     warm: memory is written to before each run; cold: as the machine is; both: all jobs in both [warm]
  --store KIND       swift (brought up unless STOWAGE_OPENSTACK names one that runs) or posix [swift]
  --json FILE        writes all figures, after each job
  --chunk-size SIZE  [50M, Cinder's default for Swift]
  --block-size SIZE  [32K]
  --seed TEXT        decides the data [stowage]
  --work DIR         where volumes are made, and kept for the next run [a temporary directory]
  --node PATH        the Node.js that runs Stowage [this one]
  --cli PATH         the built command [packages/cli/dist/bin.js]
  --option=TEXT      an option to add to each call of Stowage, e.g. --option=--concurrency=3; may be repeated
  --before PATH      another build of the command, measured in the same rounds; the only clients are then these two,
                     while Cinder only writes and checks backups
  --slow             runs, once, what takes a quarter of an hour (Cinder on the sparse volume; 64 GiB of disk)
  --quick            16M, chunks of 2M, chains of 4, one round: shows that everything runs, measures nothing
  --list             prints the names of the jobs
`

const { values } = parseArgs({
  options: {
    size: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    clients: { type: 'string', default: '' },
    memory: { type: 'string', default: 'warm' },
    store: { type: 'string', default: 'swift' },
    json: { type: 'string' },
    'chunk-size': { type: 'string' },
    'block-size': { type: 'string', default: '32K' },
    seed: { type: 'string', default: 'stowage' },
    work: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    cli: { type: 'string', default: builtCommand },
    before: { type: 'string' },
    option: { type: 'string', multiple: true, default: [] },
    slow: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const closing = new Closing()
if (values.help) console.log(usage)
else if (values.list) console.log(allJobs.map(({ name }) => name).join('\n'))
else await runAndClose(closing, main)

async function main() {
  const only = new RegExp(values.only)
  const plans = allJobs.filter(({ name }) => only.test(name))
  if (plans.length === 0) throw new Error(`No job is called /${values.only}/: --list names them.`)
  const sizeBytes = parseSize(values.size ?? (values.quick ? '16M' : '512M'))
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: write a number from 1.`)

  const memoryStates = parseMemory(values.memory)

  const clients = chosenClients()
  const versions = await versionsOf(clients)
  const workplace = openWorkplace(values.work)
  closing.add(workplace.remove)
  const store = await openStore(values.store, join(workplace.path, `store-${process.pid}`), closing)
  const berths = new Berths(store, workplace.path)
  closing.add(() => berths.removeAll())

  /** @type {any[]} */
  const jobs = []
  const report = {
    machine: machine(),
    versions,
    store: store.what,
    sizeBytes,
    rounds,
    pageCost: await warmMemory(),
    options: values,
    jobs,
  }
  console.log(describeRun(report))
  const bench = {
    clients,
    store,
    berths,
    volumes: new Volumes(workplace.path, { seed: values.seed, sizeBytes, say }),
    chunkSizeBytes: parseSize(values['chunk-size'] ?? (values.quick ? '2M' : '50M')),
    blockSizeBytes: parseSize(values['block-size']),
    slow: values.slow,
    chainLength: values.quick ? 4 : 20,
    say,
  }
  for (const plan of plans) {
    for (const memory of memoryStates) {
      await runPlan(plan, bench, report, { rounds, memory, scratch: workplace.path })
    }
  }
  console.log(verdictReport(report.jobs))
  const failed = jobs.flatMap(({ results }) => results).some(({ failure }) => failure !== undefined)
  return failed ? 1 : 0
}

/**
 * @param {import('./lib/jobs/job.mjs').JobPlan} plan
 * @param {import('./lib/jobs/job.mjs').Bench} bench
 * @param {{ jobs: any[] }} report
 * @param {{ rounds: number, memory: import('./lib/memory.mjs').MemoryState, scratch: string }} options
 */
async function runPlan(plan, bench, report, options) {
  say(`${plan.name}, memory ${options.memory}`)
  const job = await plan.make(bench)
  const results = await runJob(job, { ...options, say })
  await job.close()
  const { title, sizeBytes, left } = job
  const done = {
    name: plan.name,
    memory: options.memory,
    title,
    sizeBytes,
    results,
    left,
    verdicts: values.quick ? [] : verdictsOf(plan.name, results),
  }
  report.jobs.push(done)
  console.log(jobReport(done))
  // After each job: a run that is cut short has lost nothing.
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
}

function chosenClients() {
  const { node, option: extra, before } = values
  const options = { node, command: resolve(values.cli), extra }
  const all = allClients(options, before === undefined ? undefined : resolve(before))
  const wanted = new RegExp(before === undefined ? values.clients : '^before$')
  const chosen = all
    .filter(({ name }) => ['cinder', 'stowage'].includes(name) || wanted.test(name))
    .map((client) => (before === undefined || client.stowage ? client : { ...client, measured: false }))
  for (const client of chosen.filter((one) => !isInstalled(one))) {
    const remedy =
      client.name === 'stowage' ? 'npm run build' : `on Debian: apt-get install ${client.program}`
    if (['cinder', 'stowage'].includes(client.name))
      throw new Error(`${client.program} is not there: ${remedy}.`)
    say(`${client.name} is left out: it is not installed (${remedy})`)
  }
  return chosen.filter(isInstalled)
}

/** @param {{ machine: ReturnType<typeof machine>, versions: Record<string, string>, store: string, pageCost: Awaited<ReturnType<typeof warmMemory>> }} report */
function describeRun({ machine: host, versions, store, pageCost }) {
  const { cpu, cores, memoryGib, kernel, node } = host
  return [
    `${cores} cores (${cpu}), ${memoryGib} GiB, Linux ${kernel}, Node.js ${node}, ${store}`,
    `  first write to a page: ${pageCost.coldMicroseconds.toFixed(2)} µs at the start, ${pageCost.warmMicroseconds.toFixed(2)} µs right after`,
    ...Object.entries(versions).map(([name, version]) => `  ${name}: ${version}`),
  ].join('\n')
}

/** @param {string} line */
function say(line) {
  console.error(`· ${line}`)
}
