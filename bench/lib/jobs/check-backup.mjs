import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tellCinder } from '../clients/cinder.mjs'
import { requireSame } from '../compare-volumes.mjs'
import { run } from '../measured-process.mjs'
import { clientNamed, sharesFormat } from './job.mjs'

/**
 * Restores a backup and holds it against the volume. Cinder restores what Stowage wrote, which proves more than if
 * Stowage did; the others restore their own. A volume with many holes is restored by Stowage, since Cinder would fill
 * them all with zeros.
 *
 * @param {import('./job.mjs').Bench} bench
 * @param {import('../clients/client.mjs').Client} writer
 * @param {import('../clients/client.mjs').BackupJob} request
 * @param {import('../clients/client.mjs').Said} said
 * @param {{ manyHoles?: boolean }} [options]
 */
export async function checkBackup(bench, writer, request, said, { manyHoles = false } = {}) {
  const job = { ...request, backupId: said.backupId ?? request.backupId }
  const reader = sharesFormat(writer) ? clientNamed(bench.clients, manyHoles ? 'stowage' : 'cinder') : writer
  if (writer.stowage && reader.name === 'cinder') await tellCinder(job, said)
  const { place, scratch, backupId } = job
  await checkRestore(reader, { place, scratch, backupId, target: join(scratch, 'checked') }, job.volumePath)
}

/**
 * Runs a restore, unmeasured, and compares.
 *
 * @param {import('../clients/client.mjs').Client} reader
 * @param {import('../clients/client.mjs').RestoreJob} job
 * @param {string} expectedPath
 */
async function checkRestore(reader, job, expectedPath) {
  try {
    await run(await reader.restore(job))
    await requireSame(expectedPath, reader.restored(job))
  } finally {
    await rm(job.target, { recursive: true, force: true })
  }
}
