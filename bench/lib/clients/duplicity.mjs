import { link, mkdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { nothing } from './client.mjs'

/** duplicity takes a file whose time is unchanged as unchanged, unread: each backup gets a time of its own. */
let clockSeconds = Date.UTC(2026, 0, 1) / 1000

/**
 * duplicity, which makes tar files with rsync's deltas, compressed with gzip or not at all. Not encrypted here.
 *
 * @returns {import('./client.mjs').Client}
 */
export function duplicity() {
  return {
    name: 'duplicity',
    program: 'duplicity',
    unfit: (_kind, { word }) =>
      ['none', 'zlib'].includes(word) ? undefined : `compresses with gzip alone, not ${word}`,
    version: { argv: ['duplicity', '--version'] },
    prepare: nothing,
    backup: async (job) => {
      const source = join(job.scratch, 'duplicity-source')
      await mkdir(source, { recursive: true })
      await rm(join(source, 'volume'), { force: true })
      await link(job.volumePath, join(source, 'volume'))
      clockSeconds += 60
      await utimes(join(source, 'volume'), clockSeconds, clockSeconds)
      const kind = job.parentId === undefined ? 'full' : 'incremental'
      const compression = job.word === 'none' ? ['--no-compression'] : []
      return command(job, [kind, ...compression, source, url(job.place)])
    },
    restore: async (job) => command(job, ['restore', url(job.place), job.target]),
    restored: (job) => join(job.target, 'volume'),
    said: () => ({}),
  }
}

/** @param {import('./client.mjs').Place} place */
function url({ name, path }) {
  return path === undefined ? `swift://${name}` : `file://${path}`
}

/**
 * @param {{ place: import('./client.mjs').Place, scratch: string }} job
 * @param {string[]} args
 */
function command({ place, scratch }, [action = '', ...args]) {
  const common = [
    '--no-encryption',
    '--allow-source-mismatch',
    '--no-print-statistics',
    '--verbosity',
    'error',
  ]
  return {
    argv: ['duplicity', action, ...common, '--archive-dir', join(scratch, 'duplicity-archive'), ...args],
    env: place.account ? signIn(place.account) : {},
  }
}

/**
 * duplicity's uploads do not work with a token that is given, so it signs in.
 *
 * @param {import('../stores/place.mjs').SwiftAccount} account
 */
function signIn({ keystoneUrl, user }) {
  return {
    SWIFT_AUTHURL: keystoneUrl,
    SWIFT_AUTHVERSION: '3',
    SWIFT_USERNAME: user.name,
    SWIFT_PASSWORD: user.password,
    SWIFT_TENANTNAME: user.projectName,
    SWIFT_USER_DOMAIN_NAME: user.domainName,
    SWIFT_PROJECT_DOMAIN_NAME: user.domainName,
  }
}
