/**
 * A whole process that backs a file up or restores it.
 *
 * @typedef {import('../measured-process.mjs').Command} Command
 * @typedef {import('../stores/place.mjs').Place} Place
 */

/**
 * What is to be backed up, and under which ids.
 *
 * @typedef {object} BackupJob
 * @property {Place} place
 * @property {string} scratch a directory for the client's own state at this place: a catalogue, a cache
 * @property {string} volumePath
 * @property {string} volumeId
 * @property {string} backupId
 * @property {boolean} [measured] run as a user would: Stowage then generates the id, and says it
 * @property {string} [parentId] the backup to add to; without it, a full one
 * @property {string} word none, zlib, bz2 or zstd
 * @property {number} chunkSizeBytes
 * @property {number} blockSizeBytes
 */

/**
 * @typedef {object} RestoreJob
 * @property {Place} place
 * @property {string} scratch
 * @property {string} backupId
 * @property {string} target a path where nothing is yet
 */

/**
 * What a run says of itself.
 *
 * @typedef {object} Said
 * @property {number} [ownSeconds] the job without the start of its interpreter
 * @property {string} [backupId] the id of the backup, where the client generated it
 * @property {number} [objectCount] chunk objects that it stored
 * @property {string} [prefix] what their names begin with
 * @property {string} [container]
 */

/**
 * @typedef {object} Client
 * @property {string} name
 * @property {boolean} [stowage] whether it is Stowage, this build or another
 * @property {boolean} [measured] false for one that only writes and checks what others are measured with
 * @property {string} [restoreName] what it is called in a restore, where that is another command
 * @property {string} [program] what has to be installed
 * @property {(kind: 'swift' | 'posix', job: JobKind) => string | undefined} unfit why it does not do this job; undefined if it does
 * @property {Command} version
 * @property {(job: BackupJob) => Promise<void>} prepare makes what has to be there before the first backup; not measured
 * @property {(job: BackupJob) => Promise<Command>} backup
 * @property {(job: RestoreJob) => Promise<Command>} restore
 * @property {(job: RestoreJob) => string} restored where the restored volume is
 * @property {(stdout: string) => Said} said
 */

/**
 * @typedef {object} JobKind
 * @property {'backup' | 'restore' | 'incremental' | 'chain'} kind
 * @property {string} word
 */

/** Does nothing: for clients that need no preparation. */
export async function nothing() {
  // There is nothing to prepare.
}

/**
 * The environment by which the tools of OpenStack and those that follow them are handed an account and a token.
 *
 * @param {Place} place
 * @returns {Record<string, string>}
 */
export function tokenEnvironment({ account }) {
  return account ? { OS_STORAGE_URL: account.storageUrl, OS_AUTH_TOKEN: account.token } : {}
}
