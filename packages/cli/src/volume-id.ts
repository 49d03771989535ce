import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'

/** RFC 9562's namespace for names that are URLs. */
const urlNamespace = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')

/**
 * The volume id of a source without `--volume-id`: the version 5 UUID of its `file:` URL. The same path has the same id
 * on every run, so `--incremental` finds the chain, and any tool can compute it:
 * `python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "file:///srv/disk.img"))'`.
 *
 * @param realPath absolute, with every symbolic link resolved
 */
export function volumeIdOfPath(realPath: string): string {
  const digest = createHash('sha1').update(urlNamespace).update(pathToFileURL(realPath).href).digest()
  const bytes = digest.subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
