import { table } from './table.mjs'

/**
 * A job's figures, for people.
 *
 * @param {{ name: string, memory: import('./memory.mjs').MemoryState, title: string, sizeBytes: number, results: readonly import('./run-job.mjs').Result[], left: readonly { name: string, why: string }[], verdicts: readonly import('./aims.mjs').Verdict[] }} job
 */
export function jobReport({ name, memory, title, sizeBytes, results, left, verdicts }) {
  const cinder = results.find((one) => one.name === 'cinder')?.median
  const rows = results.flatMap(({ name: client, runs, median }) =>
    median === undefined
      ? []
      : [
          [
            client,
            median.wallSeconds.toFixed(2),
            median.ownSeconds.toFixed(2),
            cinder === undefined
              ? ''
              : client === 'cinder'
                ? '1'
                : (cinder.ownSeconds / median.wallSeconds).toFixed(2),
            (sizeBytes / 1e6 / median.wallSeconds).toFixed(0),
            median.cpuSeconds.toFixed(2),
            median.peakRssMib.toFixed(0),
            cinder === undefined ? '' : (median.peakRssMib / cinder.peakRssMib).toFixed(2),
            median.objectCount === undefined ? '' : String(median.objectCount),
            spread(runs),
          ],
        ],
  )
  const head = [
    'client',
    'wall s',
    'own s',
    '× Cinder',
    'MB/s',
    'CPU s',
    'peak MiB',
    '÷ Cinder',
    'objects',
    'runs',
  ]
  return [
    `\n${name}: ${title} (memory ${memory})`,
    table(head, rows),
    ...results
      .filter(({ failure }) => failure !== undefined)
      .map((one) => `${one.name} FAILED: ${one.failure}`),
    ...(left.length === 0 ? [] : [`left out: ${left.map((one) => `${one.name} ${one.why}`).join('; ')}`]),
    ...verdicts.map(({ what, measured, text }) => `→ ${figure(measured)} ${what}: ${text}`),
  ].join('\n')
}

/**
 * Everything that was aimed at, in one table.
 *
 * @param {readonly { name: string, memory: import('./memory.mjs').MemoryState, verdicts: readonly import('./aims.mjs').Verdict[] }[]} jobs
 */
export function verdictReport(jobs) {
  const rows = jobs.flatMap(({ name, memory, verdicts }) =>
    verdicts.map(({ what, measured, floor, aim, text }) => [
      name,
      memory,
      what,
      figure(floor),
      figure(aim),
      figure(measured),
      text,
    ]),
  )
  if (rows.length === 0) return ''
  return `\nAgainst the aims\n${table(['job', 'memory', 'what', 'floor', 'aim', 'measured', ''], rows)}`
}

/** @param {number} measured */
function figure(measured) {
  return measured >= 20 ? measured.toFixed(0) : String(Number(measured.toFixed(2)))
}

/** @param {readonly import('./run-job.mjs').Run[]} runs */
function spread(runs) {
  return runs.map(({ wallSeconds }) => wallSeconds.toFixed(2)).join(' ')
}
