import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { isInstalled } from './clients/all-clients.mjs'
import { run } from './measured-process.mjs'

/** What figures stand on. */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  }
}

/**
 * The first line that each client says of its version. This also brings its program into the page cache, so that the
 * first round is not the one that reads it.
 *
 * @param {readonly import('./clients/client.mjs').Client[]} clients
 */
export async function versionsOf(clients) {
  /** @type {Record<string, string>} */
  const versions = {}
  for (const client of clients.filter(isInstalled)) {
    const { stdout } = await run(client.version)
    versions[client.name] = stdout.split('\n')[0]?.trim() ?? ''
  }
  return versions
}
