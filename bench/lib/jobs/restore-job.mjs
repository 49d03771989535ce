import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { requireSame } from '../compare-volumes.mjs'
import { newBackup } from './backup-job.mjs'
import { clientNamed, entrants, nameIn, sharesFormat } from './job.mjs'
import { once, storeBackup } from './stored-backup.mjs'

/**
 * A restore into a new file. Cinder and Stowage restore one and the same backup; the others their own.
 *
 * @param {object} plan
 * @param {string} plan.name
 * @param {string} plan.word
 * @param {'cinder' | 'stowage'} plan.writtenBy
 * @param {(bench: import('./job.mjs').Bench) => Promise<import('../volumes.mjs').Volume>} plan.volume
 * @param {boolean} [plan.long] the volume is so large that Cinder needs a quarter of an hour
 * @returns {import('./job.mjs').JobPlan}
 */
export function restoreJob({ name, word, writtenBy, volume: volumeOf, long = false }) {
  return {
    name,
    make: async (bench) => {
      const { fit, left } = entrants(bench, { kind: 'restore', word, long })
      const volume = await volumeOf(bench)
      const store = async (/** @type {import('../clients/client.mjs').Client} */ writer) => {
        const berth = await bench.berths.open(name)
        const job = newBackup(bench, berth, { word, volumePath: volume.path })
        await storeBackup(writer, job)
        return { berth, backupId: job.backupId }
      }
      const shared = once(() => store(clientNamed(bench.clients, writtenBy)))
      return {
        title: `restore, ${word}: ${volume.what}, written by ${writtenBy}`,
        sizeBytes: volume.sizeBytes,
        contenders: fit.map((client) => {
          const stored = sharesFormat(client) ? shared : once(() => store(client))
          return {
            name: nameIn('restore', client),
            client,
            ...(long && client.name === 'cinder' ? { mostRounds: 1 } : {}),
            turn: async () => restoreTurn(client, await stored(), volume.path),
          }
        }),
        left,
        close: () => bench.berths.removeAll(),
      }
    },
  }
}

/**
 * @param {import('../clients/client.mjs').Client} client
 * @param {{ berth: import('../berth.mjs').Berth, backupId: string }} stored
 * @param {string} expectedPath
 * @returns {Promise<import('./job.mjs').Turn>}
 */
export async function restoreTurn(client, { berth, backupId }, expectedPath) {
  const target = join(berth.scratch, 'restored')
  const job = { place: berth.place, scratch: berth.scratch, backupId, target }
  return {
    command: await client.restore(job),
    check: () => requireSame(expectedPath, client.restored(job)),
    end: () => rm(target, { recursive: true, force: true }),
  }
}
