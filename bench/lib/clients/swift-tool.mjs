import { nothing, tokenEnvironment } from './client.mjs'

/**
 * `swift upload` and `swift download`: the bytes alone, without hashes, metadata or increments. With segments, an
 * object is sent as chunks at once, as a backup is.
 *
 * @param {{ segments: boolean }} options
 * @returns {import('./client.mjs').Client}
 */
export function swiftTool({ segments }) {
  return {
    name: segments ? 'swift upload -S' : 'swift upload',
    restoreName: 'swift download',
    program: 'swift',
    unfit: (kind, { kind: job, word }) => {
      if (kind !== 'swift') return 'speaks to Swift alone'
      if (job === 'incremental' || job === 'chain') return 'knows no incrementals'
      if (job === 'restore' && segments) return 'downloads as the other does'
      return word === 'none' ? undefined : 'does not compress'
    },
    version: { argv: ['swift', '--version'] },
    prepare: nothing,
    backup: async (job) => ({
      argv: [
        ...['swift', 'upload', '--object-name', 'volume'],
        ...(segments ? ['-S', String(job.chunkSizeBytes)] : []),
        ...[job.place.name, job.volumePath],
      ],
      env: tokenEnvironment(job.place),
    }),
    restore: async (job) => ({
      argv: ['swift', 'download', job.place.name, 'volume', '-o', job.target],
      env: tokenEnvironment(job.place),
    }),
    restored: (job) => job.target,
    said: () => ({}),
  }
}
