import { tellCinder } from '../clients/cinder.mjs'
import { run } from '../measured-process.mjs'

/**
 * Makes a backup that a measured run stands on, unmeasured; Cinder is told of it.
 *
 * @param {import('../clients/client.mjs').Client} client
 * @param {import('../clients/client.mjs').BackupJob} job
 */
export async function storeBackup(client, job) {
  if (job.parentId === undefined) await client.prepare(job)
  const { stdout } = await run(await client.backup(job))
  if (client.stowage) await tellCinder(job, client.said(stdout))
}

/**
 * Something made when it is first needed, and never twice; a failure is kept as well, so that whoever stands on it
 * fails with its reason.
 *
 * @template T
 * @param {() => Promise<T>} make
 */
export function once(make) {
  /** @type {Promise<T> | undefined} */
  let made
  return () => (made ??= make())
}
