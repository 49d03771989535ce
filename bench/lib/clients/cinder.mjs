import { fileURLToPath } from 'node:url'
import { run } from '../measured-process.mjs'
import { nothing } from './client.mjs'

const python = '/usr/bin/python3'
const peer = fileURLToPath(new URL('../../../test-fixtures/cinder/peer.py', import.meta.url))

/**
 * Cinder's own driver, from Debian's packages. `ownSeconds` are those of the driver, without the seconds that Python
 * needs to import Cinder: the service has done that long before.
 *
 * @returns {import('./client.mjs').Client}
 */
export function cinder() {
  return {
    name: 'cinder',
    program: python,
    unfit: () => undefined,
    version: {
      argv: [python, '-c', 'from importlib.metadata import version; print("cinder", version("cinder"))'],
    },
    prepare: nothing,
    backup: async (job) => ({
      argv: [
        ...common('backup', job),
        ...described(job),
        `--file=${job.volumePath}`,
        `--compression=${job.word}`,
        `--chunk-size=${job.chunkSizeBytes}`,
        `--block-size=${job.blockSizeBytes}`,
      ],
    }),
    restore: async (job) => ({
      argv: [...common('restore', job), `--backup-id=${job.backupId}`, `--file=${job.target}`],
    }),
    restored: (job) => job.target,
    said: (stdout) => {
      const { seconds, objectCount, prefix, container } = JSON.parse(stdout)
      return { ownSeconds: seconds, objectCount, prefix, container }
    },
  }
}

/**
 * Tells Cinder of a backup that Stowage wrote, so that it can restore it.
 *
 * @param {import('./client.mjs').BackupJob} job
 * @param {import('./client.mjs').Said} said
 */
export async function tellCinder(job, said) {
  const argv = [
    ...common('import', job),
    ...described({ ...job, container: said.container }),
    `--prefix=${said.prefix}`,
  ]
  await run({ argv })
}

/**
 * @param {string} command
 * @param {{ place: import('./client.mjs').Place, scratch: string }} job
 */
function common(command, { place, scratch }) {
  const store = place.account
    ? ['--driver=swift', `--swift-url=${place.account.storageUrl}`, `--token=${place.account.token}`]
    : ['--driver=posix', `--path=${place.path}`]
  return [python, peer, command, `--state=${scratch}`, ...store]
}

/** @param {import('./client.mjs').BackupJob & { container?: string | undefined }} job */
function described({ place, backupId, volumeId, parentId, container }) {
  // A posix container is a directory that Cinder names after the backup.
  const inContainer = container ?? (place.account ? place.name : undefined)
  return [
    `--backup-id=${backupId}`,
    `--volume-id=${volumeId}`,
    ...(parentId === undefined ? [] : [`--parent=${parentId}`]),
    ...(inContainer === undefined ? [] : [`--container=${inContainer}`]),
  ]
}
