import { randomUUID } from 'node:crypto'
import { checkBackup } from './check-backup.mjs'
import { entrants } from './job.mjs'

/**
 * A full backup into a fresh place.
 *
 * @param {object} plan
 * @param {string} plan.name
 * @param {string} plan.word
 * @param {(bench: import('./job.mjs').Bench) => Promise<import('../volumes.mjs').Volume>} plan.volume
 * @param {boolean} [plan.long] the volume is so large that Cinder needs a quarter of an hour
 * @returns {import('./job.mjs').JobPlan}
 */
export function backupJob({ name, word, volume: volumeOf, long = false }) {
  return {
    name,
    make: async (bench) => {
      const { fit, left } = entrants(bench, { kind: 'backup', word, long })
      const volume = await volumeOf(bench)
      return {
        title: `full backup, ${word}: ${volume.what}`,
        sizeBytes: volume.sizeBytes,
        contenders: fit.map((client) => ({
          name: client.name,
          client,
          ...(long && client.name === 'cinder' ? { mostRounds: 1 } : {}),
          turn: () => backupTurn(bench, client, { word, volume, name, long }),
        })),
        left,
        close: async () => undefined,
      }
    },
  }
}

/**
 * @param {import('./job.mjs').Bench} bench
 * @param {import('../clients/client.mjs').Client} client
 * @param {{ word: string, volume: import('../volumes.mjs').Volume, name: string, long: boolean }} plan
 * @returns {Promise<import('./job.mjs').Turn>}
 */
async function backupTurn(bench, client, { word, volume, name, long }) {
  const berth = await bench.berths.open(`${name}-${client.name}`)
  const job = newBackup(bench, berth, { word, volumePath: volume.path, measured: true })
  await client.prepare(job)
  return {
    command: await client.backup(job),
    check: (said) => checkBackup(bench, client, job, said, { manyHoles: long }),
    end: () => berth.remove(),
  }
}

/**
 * A backup of a volume at a berth, under a new id.
 *
 * @param {import('./job.mjs').Bench} bench
 * @param {import('../berth.mjs').Berth} berth
 * @param {{ word: string, volumePath: string, volumeId?: string, parentId?: string, measured?: boolean }} what
 * @returns {import('../clients/client.mjs').BackupJob}
 */
export function newBackup({ chunkSizeBytes, blockSizeBytes }, { place, scratch }, what) {
  return {
    place,
    scratch,
    chunkSizeBytes,
    blockSizeBytes,
    volumeId: randomUUID(),
    backupId: randomUUID(),
    ...what,
  }
}
