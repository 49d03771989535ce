import { fileURLToPath } from 'node:url'
import { nothing, tokenEnvironment } from './client.mjs'

/** Where `npm run build` puts the command. */
export const builtCommand = fileURLToPath(new URL('../../../packages/cli/dist/bin.js', import.meta.url))

/**
 * The built command, under the Node.js that is named.
 *
 * @param {{ node: string, command: string, extra: readonly string[], name?: string }} options `extra` is added to every call
 * @returns {import('./client.mjs').Client}
 */
export function stowage({ node, command, extra, name = 'stowage' }) {
  return {
    name,
    stowage: true,
    program: command,
    unfit: () => undefined,
    version: { argv: [node, command, '--version'] },
    prepare: nothing,
    backup: async (job) => ({
      argv: [
        ...[node, command, 'backup', job.volumePath, '--json', '--quiet'],
        ...['--store', storeUrl(job.place)],
        ...['--volume-id', job.volumeId, ...(job.measured ? [] : ['--backup-id', job.backupId])],
        ...(job.parentId === undefined ? [] : ['--parent', job.parentId]),
        ...['--compression', job.word],
        ...['--chunk-size', String(job.chunkSizeBytes), '--block-size', String(job.blockSizeBytes)],
        ...extra,
      ],
      env: tokenEnvironment(job.place),
    }),
    restore: async (job) => ({
      argv: [
        ...[node, command, 'restore', job.backupId, job.target, '--json', '--quiet'],
        ...['--store', storeUrl(job.place)],
        ...extra,
      ],
      env: tokenEnvironment(job.place),
    }),
    restored: (job) => job.target,
    said: (stdout) => {
      const { id, objectCount, prefix, container, elapsedMs } = JSON.parse(stdout)
      return {
        backupId: id,
        objectCount,
        prefix,
        container,
        ...(elapsedMs === undefined ? {} : { ownSeconds: elapsedMs / 1000 }),
      }
    },
  }
}

/** @param {import('./client.mjs').Place} place */
function storeUrl({ name, path }) {
  return path === undefined ? `swift://${name}` : `posix:${path}`
}
