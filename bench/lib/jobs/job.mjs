/**
 * What jobs are made with.
 *
 * @typedef {object} Bench
 * @property {readonly import('../clients/client.mjs').Client[]} clients those that are installed
 * @property {import('../stores/place.mjs').Store} store
 * @property {import('../berth.mjs').Berths} berths
 * @property {import('../volumes.mjs').Volumes} volumes
 * @property {number} chunkSizeBytes
 * @property {number} blockSizeBytes
 * @property {number} chainLength how many backups a chain has
 * @property {(line: string) => void} say
 * @property {boolean} slow whether what takes a quarter of an hour is run, once
 */

/**
 * One measured run, made ready.
 *
 * @typedef {object} Turn
 * @property {import('../measured-process.mjs').Command} command
 * @property {(said: import('../clients/client.mjs').Said) => Promise<void>} check rejects where what was stored or restored is not what it should be
 * @property {(said?: import('../clients/client.mjs').Said) => Promise<void>} end removes what the run has left; after a failure nothing was said
 */

/**
 * A client in a job.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {import('../clients/client.mjs').Client} client
 * @property {number} [mostRounds]
 * @property {() => Promise<Turn>} turn
 */

/**
 * @typedef {object} Job
 * @property {string} title for people
 * @property {number} sizeBytes what counts for bytes a second
 * @property {readonly Contender[]} contenders
 * @property {readonly { name: string, why: string }[]} left who does not take part, and why
 * @property {() => Promise<void>} close
 */

/**
 * A job by its name: what it needs is only made once it is chosen.
 *
 * @typedef {object} JobPlan
 * @property {string} name
 * @property {(bench: Bench) => Promise<Job>} make
 */

/**
 * Parts the clients into those that do such a job and those that do not. On a volume that is `long` to go through, one
 * does it once at most and the others not at all.
 *
 * @param {Bench} bench
 * @param {import('../clients/client.mjs').JobKind & { long?: boolean }} kind
 */
export function entrants({ clients, store, slow }, { long = false, ...kind }) {
  const whyNot = (/** @type {import('../clients/client.mjs').Client} */ client) => {
    const unfit = client.unfit(store.kind, kind)
    if (unfit !== undefined || !long || client.stowage) return unfit
    if (client.name !== 'cinder') return 'reads every hole, which takes an hour'
    return slow ? undefined : 'reads every hole: --slow runs it once'
  }
  const reasons = clients
    .filter(({ measured = true }) => measured)
    .map((client) => ({ client, why: whyNot(client) }))
  return {
    fit: reasons.filter(({ why }) => why === undefined).map(({ client }) => client),
    left: reasons.flatMap(({ client, why }) =>
      why === undefined ? [] : [{ name: nameIn(kind.kind, client), why }],
    ),
  }
}

/**
 * What a client is called in a job's table.
 *
 * @param {import('../clients/client.mjs').JobKind['kind']} kind
 * @param {import('../clients/client.mjs').Client} client
 */
export function nameIn(kind, { name, restoreName = name }) {
  return kind === 'restore' ? restoreName : name
}

/**
 * @param {readonly import('../clients/client.mjs').Client[]} clients
 * @param {string} name
 */
export function clientNamed(clients, name) {
  const client = clients.find((one) => one.name === name)
  if (!client) throw new Error(`This job needs ${name}, which is not here.`)
  return client
}

/** Cinder and Stowage read each other's backups: the others only their own. */
export function sharesFormat(
  /** @type {import('../clients/client.mjs').Client} */ { name, stowage = false },
) {
  return name === 'cinder' || stowage
}
