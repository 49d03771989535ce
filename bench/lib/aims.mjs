/**
 * What a job has to show: ratios to Cinder's own seconds.
 *
 * @typedef {object} Aim
 * @property {number} floor
 * @property {number} aim
 * @property {boolean} [uploads] as fast as `swift upload`, whole process against whole process
 * @property {number} [extraMib] how much more than Cinder's the peak may be
 * @property {number} [objectShare] the most objects, as a share of Cinder's
 */

/** @type {Readonly<Record<string, Aim>>} */
const aims = {
  'backup-none': { floor: 2.5, aim: 3.5, uploads: true },
  'backup-zlib': { floor: 3, aim: 4 },
  'backup-bz2': { floor: 2, aim: 2.2 },
  'backup-zstd': { floor: 1.8, aim: 3 },
  'restore-none': { floor: 1.1, aim: 1.5, extraMib: 150 },
  'restore-zlib': { floor: 1.8, aim: 2.5 },
  'restore-bz2': { floor: 1.8, aim: 2 },
  'restore-bz2-of-cinder': { floor: 1.5, aim: 1.7 },
  'restore-zstd': { floor: 1.1, aim: 1.5, extraMib: 150 },
  'incremental-unchanged': { floor: 2, aim: 3 },
  'incremental-scattered': { floor: 4, aim: 6, objectShare: 0.1 },
  'incremental-scattered-zlib': { floor: 4, aim: 6, objectShare: 0.1 },
  chain: { floor: 3, aim: 5, extraMib: 150 },
  'chain-of-cinder': { floor: 3, aim: 5, extraMib: 150 },
}

/**
 * One thing that was aimed at, and how far it got.
 *
 * @typedef {object} Verdict
 * @property {string} what
 * @property {number} measured
 * @property {number} floor
 * @property {number} aim
 * @property {'aim' | 'floor' | 'missed'} reached
 * @property {string} text
 */

/**
 * @param {string} jobName
 * @param {readonly import('./run-job.mjs').Result[]} results
 * @returns {Verdict[]}
 */
export function verdictsOf(jobName, results) {
  const aim = aims[jobName]
  const [cinder, stowage] = ['cinder', 'stowage'].map(
    (name) => results.find((one) => one.name === name)?.median,
  )
  const before = results.find(({ name }) => name === 'before')?.median
  if (before && stowage) return comparedWith(before, stowage)
  if (aim === undefined || !cinder || !stowage) return []
  const verdicts = [atLeast('times Cinder', cinder.ownSeconds / stowage.wallSeconds, aim)]
  const uploads = results
    .filter(({ name }) => name.startsWith('swift upload'))
    .map(({ median }) => median?.wallSeconds)
  const fastest = Math.min(...uploads.map((seconds) => seconds ?? Number.POSITIVE_INFINITY))
  if (aim.uploads && Number.isFinite(fastest)) {
    verdicts.push(
      atLeast('times the faster swift upload', fastest / stowage.wallSeconds, { floor: 1, aim: 1 }),
    )
  }
  verdicts.push(atMost('peak MiB', stowage.peakRssMib, Math.round(cinder.peakRssMib + (aim.extraMib ?? 0))))
  if (
    aim.objectShare !== undefined &&
    cinder.objectCount !== undefined &&
    stowage.objectCount !== undefined
  ) {
    verdicts.push(atMost('objects', stowage.objectCount, Math.floor(cinder.objectCount * aim.objectShare)))
  }
  return verdicts
}

/** A job may become slower, and its peak higher, by this much. */
const tolerance = 1.05

/**
 * What has changed since another build.
 *
 * @param {import('./run-job.mjs').Run} before
 * @param {import('./run-job.mjs').Run} now
 */
function comparedWith(before, now) {
  return [
    atMost('times the wall seconds before', now.wallSeconds / before.wallSeconds, tolerance),
    atMost('times the CPU seconds before', now.cpuSeconds / before.cpuSeconds, tolerance),
    atMost('times the peak before', now.peakRssMib / before.peakRssMib, tolerance),
  ]
}

/**
 * @param {string} what
 * @param {number} measured
 * @param {{ floor: number, aim: number }} wanted
 * @returns {Verdict}
 */
function atLeast(what, measured, { floor, aim }) {
  const reached = measured >= aim ? 'aim' : measured >= floor ? 'floor' : 'missed'
  const far = { aim: 'aim reached', floor: `floor reached, ${share(measured / aim)} of the aim` }
  const text = reached === 'missed' ? `MISSED: ${share(measured / floor)} of the floor` : far[reached]
  return { what, measured, floor, aim, reached, text }
}

/**
 * @param {string} what
 * @param {number} measured
 * @param {number} most
 * @returns {Verdict}
 */
function atMost(what, measured, most) {
  const fits = measured <= most
  const text = fits ? 'within' : `MISSED: ${share(measured / most)} of what is allowed`
  return { what, measured, floor: most, aim: most, reached: fits ? 'aim' : 'missed', text }
}

/** @param {number} ratio */
function share(ratio) {
  return `${Math.round(ratio * 100)} %`
}
