import { randomUUID } from 'node:crypto'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { NewBackup } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { claimNamePrefix, claimObjectName, parseClaimName } from '../format/object-names.js'
import { formatCreatedAt, formatPrefixTimestamp } from '../format/timestamps.js'
import { isStoredFault } from '../store/access.js'
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
  /**
   * For a copy: the checksum of the manifest that it will commit. Copies with the same manifest write the same objects, so
   * that they share a claim: that of a copy that was killed does not block the next one.
   */
  readonly copyOf?: string
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
    if (isBackupError(error, 'CONFLICT')) {
      if (await isOfSameCopy(store, subject, objectName, options)) return claim
      throw claimed(subject, objectName, error)
    }
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
  const shared: string[] = []
  const claim = heldClaim(store, container, objectName, shared)
  try {
    const writerOptions = { ...options, extraMetadata: null }
    await writeObject(store, container, objectName, bytesBody(claimBody(subject)), writerOptions)
    for await (const name of store.getContainerEntries(container, claimNamePrefix(backup.id), options)) {
      if (name === objectName || parseClaimName(name) !== backup.id) continue
      if (!(await isOfSameCopy(store, subject, name, options))) throw claimed(subject, name)
      shared.push(name)
    }
    return claim
  } catch (error) {
    await claim.release(claimReleaseOptions()).catch(() => undefined)
    throw error
  }
}

/** @param shared - names of claims of the same copy, which it releases as well */
function heldClaim(
  store: ObjectStore,
  container: string,
  objectName: string,
  shared: readonly string[] = [],
): Claim {
  return {
    objectName,
    async release(options) {
      for (const name of [...shared, objectName]) await store.deleteObject(container, name, options)
    },
  }
}

/** Clean-ups have a time limit of their own: the caller's signal may be aborted already. */
export function claimReleaseOptions(): StoreOptions {
  return { signal: AbortSignal.timeout(30_000) }
}

/** Returns the claim as JSON on one line, with a token that no other run has. */
function claimBody({ backup, prefix, copyOf }: ClaimSubject): Uint8Array {
  const claim = {
    version: '1',
    backup_id: backup.id,
    prefix,
    started_at: formatCreatedAt(backup.createdAt),
    ...(copyOf === undefined ? {} : { copy_of: copyOf }),
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
  const stored = await readClaim(store, container, objectName, claimReleaseOptions()).catch(() => undefined)
  return stored !== undefined && Buffer.compare(stored, body) === 0
}

/** Whether a claim is of a copy that commits the same manifest under the same prefix. */
async function isOfSameCopy(
  store: ObjectStore,
  { container, prefix, copyOf }: ClaimSubject,
  objectName: string,
  options: StoreOptions,
): Promise<boolean> {
  if (copyOf === undefined) return false
  try {
    const stored = await readClaim(store, container, objectName, options)
    const claim = JSON.parse(Buffer.from(stored).toString()) as Record<string, unknown> | null
    return claim?.['prefix'] === prefix && claim['copy_of'] === copyOf
  } catch (error) {
    // Not JSON, or released since: the other run may still be writing its last object.
    if (!isBackupError(error) || isStoredFault(error)) return false
    throw error
  }
}

function readClaim(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: StoreOptions,
): Promise<Uint8Array> {
  return withReader(store, container, objectName, { ...options, extraMetadata: null }, (reader) =>
    reader.read({ ...options, maxBytes: MAX_CLAIM_BYTES }),
  )
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
