import { execFileSync } from 'node:child_process'
import { measure } from './measured-process.mjs'
import { warmMemory } from './memory.mjs'
import { median } from './median.mjs'

/**
 * One measured run.
 *
 * @typedef {object} Run
 * @property {number} wallSeconds
 * @property {number} ownSeconds the job without the start of its interpreter, where the client says it; else the same as wall
 * @property {number} cpuSeconds
 * @property {number} peakRssMib
 * @property {number | undefined} objectCount
 * @property {number | undefined} pageMicroseconds the cost of a first write to a page just before the run; only with warm memory
 */

/**
 * What a client did in a job.
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {Run[]} runs
 * @property {Run | undefined} median of each figure by itself; undefined where there is none that counts
 * @property {string | undefined} failure
 */

/**
 * Runs a job's contenders in turn, round by round, each beginning once: what drifts on the machine drifts for all. The
 * first run of each is checked byte for byte before any figure of it counts.
 *
 * @param {import('./jobs/job.mjs').Job} job
 * @param {{ rounds: number, memory: import('./memory.mjs').MemoryState, scratch: string, say: (line: string) => void }} options
 * @returns {Promise<Result[]>}
 */
export async function runJob(job, { rounds, memory, scratch, say }) {
  /** @type {Result[]} */
  const results = job.contenders.map(({ name }) => ({
    name,
    runs: [],
    median: undefined,
    failure: undefined,
  }))
  for (let round = 0; round < rounds; round += 1) {
    for (let step = 0; step < job.contenders.length; step += 1) {
      const index = (round + step) % job.contenders.length
      const contender = /** @type {import('./jobs/job.mjs').Contender} */ (job.contenders[index])
      const result = /** @type {Result} */ (results[index])
      if (result.failure !== undefined || round >= (contender.mostRounds ?? rounds)) continue
      try {
        const run = await runOnce(contender, { memory, scratch, check: result.runs.length === 0 })
        result.runs.push(run)
        say(`round ${round + 1}, ${contender.name}: ${run.wallSeconds.toFixed(2)} s${pageNote(run)}`)
      } catch (error) {
        result.failure = error instanceof Error ? error.message : String(error)
        result.runs = []
        say(`${contender.name} failed: ${result.failure}`)
      }
    }
  }
  for (const result of results) result.median = result.runs.length === 0 ? undefined : medianRun(result.runs)
  return results
}

/**
 * @param {import('./jobs/job.mjs').Contender} contender
 * @param {{ memory: import('./memory.mjs').MemoryState, scratch: string, check: boolean }} options
 * @returns {Promise<Run>}
 */
async function runOnce(contender, { memory, scratch, check }) {
  const turn = await contender.turn()
  /** @type {import('./clients/client.mjs').Said | undefined} */
  let said
  try {
    // What the run before left to be written must not be written at this one's cost.
    execFileSync('sync')
    const pageMicroseconds = memory === 'warm' ? (await warmMemory()).warmMicroseconds : undefined
    const measured = await measure(turn.command, scratch)
    said = contender.client.said(measured.stdout)
    if (check) await turn.check(said)
    const { wallSeconds, cpuSeconds, peakRssMib } = measured
    const { ownSeconds = wallSeconds, objectCount } = said
    return { wallSeconds, ownSeconds, cpuSeconds, peakRssMib, objectCount, pageMicroseconds }
  } finally {
    await turn.end(said)
  }
}

/**
 * @param {readonly Run[]} runs
 * @returns {Run}
 */
function medianRun(runs) {
  const of = (/** @type {(run: Run) => number} */ figure) => median(runs.map(figure))
  const pages = runs.flatMap(({ pageMicroseconds: cost }) => (cost === undefined ? [] : [cost]))
  const counts = runs.flatMap(({ objectCount }) => (objectCount === undefined ? [] : [objectCount]))
  return {
    wallSeconds: of((run) => run.wallSeconds),
    ownSeconds: of((run) => run.ownSeconds),
    cpuSeconds: of((run) => run.cpuSeconds),
    peakRssMib: of((run) => run.peakRssMib),
    objectCount: counts.length === 0 ? undefined : median(counts),
    pageMicroseconds: pages.length === 0 ? undefined : median(pages),
  }
}

/** @param {Run} run */
function pageNote({ pageMicroseconds }) {
  return pageMicroseconds === undefined ? '' : `, ${pageMicroseconds.toFixed(2)} µs per page before it`
}
