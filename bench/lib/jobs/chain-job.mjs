import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newBackup } from './backup-job.mjs'
import { clientNamed, entrants, sharesFormat } from './job.mjs'
import { restoreTurn } from './restore-job.mjs'
import { once, storeBackup } from './stored-backup.mjs'

const share = 0.01

/**
 * The restore of the last of some backups (20, in earnest): a full one, and others that each hold 1 % of the volume in scattered writes of
 * 4 KiB. Of a quarter of the usual size, or Cinder would need half an hour to write it.
 *
 * @param {object} plan
 * @param {string} plan.name
 * @param {string} plan.word
 * @param {'cinder' | 'stowage'} plan.writtenBy
 * @returns {import('./job.mjs').JobPlan}
 */
export function chainJob({ name, word, writtenBy }) {
  return {
    name,
    make: async (bench) => {
      const { fit: able, left } = entrants(bench, { kind: 'chain', word })
      // The others write their own chain, which is the same one whoever wrote this.
      const fit = writtenBy === 'stowage' ? able : able.filter(sharesFormat)
      const base = await bench.volumes.mixed(Math.ceil(bench.volumes.sizeBytes / 4))
      const store = (/** @type {import('../clients/client.mjs').Client} */ writer) =>
        storeChain(bench, writer, { name, word, base })
      const shared = once(() => store(clientNamed(bench.clients, writtenBy)))
      return {
        title: `restore of a chain of ${bench.chainLength}, ${word}, written by ${writtenBy}`,
        sizeBytes: base.sizeBytes,
        contenders: fit.map((client) => {
          const stored = sharesFormat(client) ? shared : once(() => store(client))
          return {
            name: client.name,
            client,
            turn: async () => {
              const chain = await stored()
              return restoreTurn(client, chain, chain.volumePath)
            },
          }
        }),
        left,
        close: () => bench.berths.removeAll(),
      }
    },
  }
}

/**
 * @param {import('./job.mjs').Bench} bench
 * @param {import('../clients/client.mjs').Client} writer
 * @param {{ name: string, word: string, base: import('../volumes.mjs').Volume }} plan
 */
async function storeChain(bench, writer, { name, word, base }) {
  bench.say(`${writer.name} writes its chain`)
  const berth = await bench.berths.open(`${name}-${writer.name}`)
  const volumePath = join(berth.scratch, 'volume')
  await copyFile(base.path, volumePath)
  let last = newBackup(bench, berth, { word, volumePath })
  await storeBackup(writer, last)
  for (let layer = 1; layer < bench.chainLength; layer += 1) {
    await bench.volumes.scatter(volumePath, base.sizeBytes, share, `chain-${layer}`)
    last = newBackup(bench, berth, { word, volumePath, volumeId: last.volumeId, parentId: last.backupId })
    await storeBackup(writer, last)
  }
  return { berth, backupId: last.backupId, volumePath }
}
