import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tellCinder } from '../clients/cinder.mjs'
import { requireSame } from '../compare-volumes.mjs'
import { run } from '../measured-process.mjs'
import { clientNamed } from './job.mjs'

/** Who restores a backup to see whether it is right: the other of the two, or the one that wrote it. */
const others = new Map([
  ['cinder', 'stowage'],
  ['stowage', 'cinder'],
])

/**
 * Restores a backup and holds it against the volume. What Stowage wrote is restored by Cinder and the other way about,
 * which proves more than either by itself.
 *
 * @param {import('./job.mjs').Bench} bench
 * @param {import('../clients/client.mjs').Client} writer
 * @param {import('../clients/client.mjs').BackupJob} job
 * @param {import('../clients/client.mjs').Said} said
 * @param {{ bySelf?: boolean }} [options] `bySelf` where the other would take too long
 */
export async function checkBackup(bench, writer, job, said, { bySelf = false } = {}) {
  const reader = clientNamed(bench.clients, (bySelf ? undefined : others.get(writer.name)) ?? writer.name)
  if (writer.name === 'stowage' && reader.name === 'cinder') await tellCinder(job, said)
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
