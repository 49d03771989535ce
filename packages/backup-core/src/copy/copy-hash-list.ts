import { createHash } from 'node:crypto'
import type { Chain } from '../chain/chain.js'
import { checkHashList } from '../chain/block-hashes.js'
import type { BackupObjectWriter } from '../commit/object-writer.js'
import type { StoreOptions } from '../contracts/object-store.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { parseSha256file } from '../format/sha256file.js'
import type { StoreAccess } from '../store/access.js'
import { partsBody } from '../store/objects.js'
import { StoredBody } from './stored-body.js'
import { isSameObject, type ObjectPlace } from './stored-objects.js'

/** A shorter list is read once. */
const MAX_HELD_BYTES = 16 * 1024 * 1024

/** A hash list that was read, and verified where that was requested. */
interface ReadList {
  readonly lengthBytes: number
  readonly md5: string
  /** All of it; empty where it is longer than what is held. */
  readonly held: readonly Uint8Array[]
}

/**
 * Copies the block hashes of a backup unchanged. They are verified against the manifests first.
 *
 * @param chain - of the backup, in the source
 * @param exists - whether the destination has an object of the name
 * @returns the length, and whether it was sent
 */
export async function copyHashList(
  source: StoreAccess,
  chain: Chain,
  target: ObjectPlace & { readonly writer: BackupObjectWriter; readonly exists: boolean },
  { verify, signal }: StoreOptions & { readonly verify: boolean },
): Promise<{ readonly lengthBytes: number; readonly isSent: boolean }> {
  const { container, prefix } = chain[0].record
  const place: ObjectPlace = { access: source, container, objectName: sha256fileObjectName(prefix) }
  const list = await readList(place, verify ? chain : undefined)
  const { lengthBytes, md5, held } = list
  if (target.exists) {
    if (await isSameObject(target, place, list)) return { lengthBytes, isSent: false }
    await target.access.delete(target.container, target.objectName)
  }
  const body =
    held.length > 0 || lengthBytes === 0
      ? partsBody(held, () => Promise.resolve(md5))
      : new StoredBody(lengthBytes, (use) => reread(place, md5, use), md5)
  const options = { ...(signal ? { signal } : {}), extraMetadata: null }
  try {
    await target.writer.write(target.objectName, body, options)
    return { lengthBytes, isSent: true }
  } catch (error) {
    if (isBackupError(error, 'CONFLICT') && (await isSameObject(target, place, list)))
      return { lengthBytes, isSent: false }
    throw (body instanceof StoredBody ? body.failure : undefined) ?? error
  }
}

/** @param chain - verifies the list against it */
async function readList(
  { access, container, objectName }: ObjectPlace,
  chain: Chain | undefined,
): Promise<ReadList> {
  return access.stream(container, objectName, async (pieces) => {
    const md5 = createHash('md5')
    let lengthBytes = 0
    let held: Uint8Array[] = []
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        md5.update(piece)
        lengthBytes += piece.length
        if (lengthBytes <= MAX_HELD_BYTES) held.push(Uint8Array.from(piece))
        else held = []
        yield piece
      }
    }
    if (chain) {
      const finding = checkHashList(chain, await parseSha256file(counted(), { container, objectName }))
      if (finding.kind === 'damaged') throw damaged(chain, finding.message, objectName)
    } else await readToEnd(counted())
    return { lengthBytes, md5: md5.digest('hex'), held }
  })
}

async function readToEnd(pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  while ((await pieces.next()).done !== true);
}

async function reread(
  { access, container, objectName }: ObjectPlace,
  expectedMd5: string,
  use: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  const md5 = createHash('md5')
  await access.stream(container, objectName, async (pieces) => {
    for await (const piece of pieces) {
      md5.update(piece)
      await use(piece)
    }
  })
  if (md5.digest('hex') === expectedMd5) return
  throw new BackupError(
    'OBJECT_CORRUPT',
    `${objectName} changed while it was copied. Copy the backup again.`,
    {
      container,
      objectName,
    },
  )
}

function damaged([{ record }]: Chain, message: string, objectName: string): BackupError {
  return new BackupError(
    'METADATA_INVALID',
    `Cannot copy backup ${record.id}: ${message}. Verify it with level \`full\`; to copy the hash list as it is, set \`verify\` to false.`,
    { backupId: record.id, container: record.container, objectName },
  )
}
