import { newBackup } from './backup-job.mjs'
import { checkBackup } from './check-backup.mjs'
import { clientNamed, entrants, sharesFormat } from './job.mjs'
import { once, storeBackup } from './stored-backup.mjs'

/**
 * An incremental backup. Cinder and Stowage add to one and the same full backup, which Cinder wrote; the others to one
 * of their own, a new one in each round, since they would know the changed data from the round before.
 *
 * @param {object} plan
 * @param {string} plan.name
 * @param {string} plan.word
 * @param {(bench: import('./job.mjs').Bench, base: import('../volumes.mjs').Volume) => Promise<import('../volumes.mjs').Volume>} plan.changed
 * @returns {import('./job.mjs').JobPlan}
 */
export function incrementalJob({ name, word, changed: changedOf }) {
  return {
    name,
    make: async (bench) => {
      const { fit, left } = entrants(bench, { kind: 'incremental', word })
      const base = await bench.volumes.mixed()
      const changed = await changedOf(bench, base)
      const store = async (/** @type {import('../clients/client.mjs').Client} */ writer) => {
        const berth = await bench.berths.open(`${name}-${writer.name}`)
        const full = newBackup(bench, berth, { word, volumePath: base.path })
        await storeBackup(writer, full)
        return { berth, full }
      }
      const shared = once(() => store(clientNamed(bench.clients, 'cinder')))
      return {
        title: `incremental backup, ${word}: ${changed === base ? 'unchanged' : changed.what} since the full one`,
        sizeBytes: base.sizeBytes,
        contenders: fit.map((client) => ({
          name: client.name,
          client,
          turn: async () => {
            const stored = await (sharesFormat(client) ? shared() : store(client))
            return incrementalTurn(bench, client, stored, { word, volumePath: changed.path })
          },
        })),
        left,
        close: () => bench.berths.removeAll(),
      }
    },
  }
}

/**
 * @param {import('./job.mjs').Bench} bench
 * @param {import('../clients/client.mjs').Client} client
 * @param {{ berth: import('../berth.mjs').Berth, full: import('../clients/client.mjs').BackupJob }} stored
 * @param {{ word: string, volumePath: string }} what
 * @returns {Promise<import('./job.mjs').Turn>}
 */
async function incrementalTurn(bench, client, { berth, full }, what) {
  const job = newBackup(bench, berth, {
    ...what,
    measured: true,
    volumeId: full.volumeId,
    parentId: full.backupId,
  })
  return {
    command: await client.backup(job),
    check: (said) => checkBackup(bench, client, job, said),
    end: (said) =>
      sharesFormat(client)
        ? bench.store.removeBackup(berth.place, said?.backupId ?? job.backupId)
        : berth.remove(),
  }
}
