import { createHash } from 'node:crypto'
import type { ObjectInfo } from '../contracts/object-store.js'
import { isStoredFault, type StoreAccess } from '../store/access.js'
import type { StoredObject } from '../format/manifest.js'

/** An object in its store. */
export interface ObjectPlace {
  readonly access: StoreAccess
  readonly container: string
  readonly objectName: string
}

/** What is known of an object without reading it: the length, the MD5, both or nothing. */
type Known = Partial<ObjectInfo>

/** What the manifest states of a raw object; nothing of a compressed one, whose stored form it does not describe. */
export function knownByManifest({ compression, lengthBytes, md5 }: StoredObject): Known {
  return compression === 'none' ? { lengthBytes, ...(md5 === null ? {} : { md5 }) } : {}
}

/** Returns what the store reports of an object; undefined where it does not exist, or the store reports nothing. */
export async function infoOf({
  access,
  container,
  objectName,
}: ObjectPlace): Promise<ObjectInfo | undefined> {
  const { store, options } = access
  return store.capabilities.objectInfo ? store.objectInfo(container, objectName, options) : undefined
}

/**
 * Whether an object of the destination has the bytes of an object of the source. Compares what the stores and the manifest
 * state, and reads only an object whose MD5 none of them does.
 */
export async function isSameObject(
  target: ObjectPlace,
  source: ObjectPlace,
  stated: Known,
): Promise<boolean> {
  const found: Known = (await infoOf(target)) ?? {}
  const expected: Known = stated.md5 === undefined ? { ...(await infoOf(source)), ...stated } : stated
  if (differ(found.lengthBytes, expected.lengthBytes)) return false
  // The destination first: what is left of another backup need not be compared with the source.
  const actual = found.md5 === undefined ? await read(target).catch(unlessDamaged) : found
  if (!actual || differ(actual.lengthBytes, expected.lengthBytes)) return false
  const wanted = expected.md5 === undefined ? await read(source) : expected
  return actual.md5 === wanted.md5 && !differ(actual.lengthBytes, wanted.lengthBytes)
}

function differ(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other
}

async function read({ access, container, objectName }: ObjectPlace): Promise<ObjectInfo> {
  return access.stream(container, objectName, async (pieces) => {
    const md5 = createHash('md5')
    let lengthBytes = 0
    for await (const piece of pieces) {
      md5.update(piece)
      lengthBytes += piece.length
    }
    return { lengthBytes, md5: md5.digest('hex') }
  })
}

/** An object that cannot be read any more is not the same. */
function unlessDamaged(error: unknown): undefined {
  if (!isStoredFault(error)) throw error
}
