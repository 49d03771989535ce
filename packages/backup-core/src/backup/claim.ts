import { randomUUID } from 'node:crypto'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { NewBackup } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { claimNamePrefix, claimObjectName, parseClaimName } from '../format/object-names.js'
import { formatCreatedAt, formatPrefixTimestamp } from '../format/timestamps.js'
import { bytesBody, withReader, writeObject } from '../store/objects.js'

/** A claim has a few hundred bytes; a longer object is not one. */
const MAX_CLAIM_BYTES = 16 * 1024

/** The exclusive right of one backup run to write under its prefix, as an object in the destination container. */
export interface Claim {
  readonly objectName: string
  /** Ends the claim. */
  release(options: StoreOptions): Promise<void>
}

/** What is claimed: the prefix of a backup in a container. */
export interface ClaimSubject {
  readonly backup: NewBackup
  readonly container: string
  readonly prefix: string
}

/**
 * Claims a backup's prefix before anything is written under it, so that of the runs that share it at most one goes on. The
 * commit rejects the other runs with the same id.
 *
 * Where the store creates exclusively, the claim's name has the id and the timestamp of the prefix (whole seconds), so that
 * the claim of a killed run does not block a run of another second. Elsewhere each run writes its own claim, then lists all
 * claims to the id: of two runs at least one finds the other's, and rejects.
 *
 * @throws `CONFLICT` where another run has a claim
 */
export function claimPrefix(
  store: ObjectStore,
  subject: ClaimSubject,
  options: StoreOptions,
): Promise<Claim> {
  return store.capabilities.exclusiveCreate
    ? claimExclusively(store, subject, options)
    : claimByListing(store, subject, options)
}

async function claimExclusively(
  store: ObjectStore,
  subject: ClaimSubject,
  options: StoreOptions,
): Promise<Claim> {
  const { backup, container } = subject
  const objectName = claimObjectName(backup.id, formatPrefixTimestamp(backup.createdAt))
  const body = claimBody(subject)
  const claim = heldClaim(store, container, objectName)
  try {
    const writerOptions = { ...options, extraMetadata: null, exclusive: true, claim: true }
    await writeObject(store, container, objectName, bytesBody(body), writerOptions)
  } catch (error) {
    if (isBackupError(error, 'CONFLICT')) throw claimed(subject, objectName, error)
    // The response may have been lost. The token proves which run wrote the claim.
    if (await isStored(store, container, objectName, body)) {
      await claim.release(claimReleaseOptions()).catch(() => undefined)
    }
    throw error
  }
  return claim
}

async function claimByListing(
  store: ObjectStore,
  subject: ClaimSubject,
  options: StoreOptions,
): Promise<Claim> {
  const { backup, container } = subject
  const objectName = claimObjectName(backup.id, randomUUID().replaceAll('-', ''))
  const claim = heldClaim(store, container, objectName)
  try {
    const writerOptions = { ...options, extraMetadata: null }
    await writeObject(store, container, objectName, bytesBody(claimBody(subject)), writerOptions)
    for await (const name of store.getContainerEntries(container, claimNamePrefix(backup.id), options)) {
      if (name !== objectName && parseClaimName(name) === backup.id) throw claimed(subject, name)
    }
    return claim
  } catch (error) {
    await claim.release(claimReleaseOptions()).catch(() => undefined)
    throw error
  }
}

function heldClaim(store: ObjectStore, container: string, objectName: string): Claim {
  return { objectName, release: (options) => store.deleteObject(container, objectName, options) }
}

/** Clean-ups have a time limit of their own: the caller's signal may be aborted already. */
export function claimReleaseOptions(): StoreOptions {
  return { signal: AbortSignal.timeout(30_000) }
}

/** Returns the claim as JSON on one line, with a token that no other run has. */
function claimBody({ backup, prefix }: ClaimSubject): Uint8Array {
  const claim = {
    version: '1',
    backup_id: backup.id,
    prefix,
    started_at: formatCreatedAt(backup.createdAt),
    token: randomUUID(),
  }
  return Buffer.from(`${JSON.stringify(claim)}\n`)
}

async function isStored(
  store: ObjectStore,
  container: string,
  objectName: string,
  body: Uint8Array,
): Promise<boolean> {
  const options = { ...claimReleaseOptions(), extraMetadata: null }
  try {
    const stored = await withReader(store, container, objectName, options, (reader) =>
      reader.read({ maxBytes: MAX_CLAIM_BYTES }),
    )
    return Buffer.compare(stored, body) === 0
  } catch {
    return false
  }
}

function claimed({ backup, container }: ClaimSubject, objectName: string, cause?: unknown): BackupError {
  return new BackupError(
    'CONFLICT',
    `Another backup with the id ${backup.id} is running, or was killed: its claim ${objectName} is in ${container}. ` +
      'Wait until it ends, or choose another id. If no such backup runs, `removeOrphans` removes its claim once it is a ' +
      'day old, or immediately with an `olderThanMs` of 0.',
    { backupId: backup.id, container, objectName, cause },
  )
}
