import { BackupError, throwIfAborted, type BackupProblem } from '../errors/backup-error.js'
import type { HashList } from '../format/hash-list.js'
import { hashParts, sha256 } from '../hash/chunk-hasher.js'
import type { VolumeExtent } from '../contracts/volume.js'
import { assertValidChain, type Chain } from '../chain/chain.js'
import {
  appendExtent,
  buildExtentMap,
  inSlices,
  visibleParts,
  type VisibleObject,
} from '../chain/extent-map.js'
import { compareWithListing } from '../chain/missing-objects.js'
import { readVolumeInfo, type VolumeInfo } from '../chain/block-hashes.js'
import { isStoredFault } from '../store/access.js'
import type { VerifyOptions, VerifyResult } from '../contracts/requests.js'
import { assertFetchable, DAMAGE_ADVICE, loadCompressors, type ChainJob } from '../fetch/fetch-object.js'
import { visitObjects, type ObjectVisitor } from '../fetch/visit-objects.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { chainSizeByManifest, manifestStatesSize } from '../chain/volume-size.js'

interface PartialBlock {
  readonly bytes: Uint8Array
  missingBytes: number
}

/** After so many blocks of zeros the event loop runs other work. */
const BLOCKS_BETWEEN_YIELDS = 65_536

/**
 * Verifies a volume's bytes, added in any order and pieces, against the hashes of its blocks. The objects of Cinder and Stowage
 * begin and end at blocks, so that nearly all bytes are hashed without a copy; a block of several pieces is assembled first.
 */
export class BlockCheck {
  readonly #partial = new Map<number, PartialBlock>()
  /** One bit per block; allocated for the first bad one. */
  #bad: Uint8Array | undefined
  #checked = 0

  /** @param volumeSizeBytes - has as many blocks as there are hashes */
  constructor(
    private readonly hashes: HashList,
    readonly blockSizeBytes: number,
    private readonly volumeSizeBytes: number,
  ) {}

  get blocksChecked(): number {
    return this.#checked
  }

  /** The runs of blocks whose bytes have another hash, in ascending order: the first `limit` of them. */
  badExtents(limit: number): VolumeExtent[] {
    const extents: VolumeExtent[] = []
    for (let block = 0; this.#bad !== undefined && block < this.hashes.length; block += 1) {
      if (((this.#bad[block >> 3] ?? 0) & (1 << (block & 7))) === 0) continue
      const start = block * this.blockSizeBytes
      appendExtent(extents, start, start + this.#lengthOf(block))
      if (extents.length > limit) break
    }
    return extents.slice(0, limit)
  }

  /** Adds bytes of the volume, each of them once. */
  async add(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    const size = this.blockSizeBytes
    // The volume's last block may be short, and is complete all the same.
    const isLast = offsetBytes + bytes.length === this.volumeSizeBytes
    for (let at = 0; at < bytes.length;) {
      const block = Math.floor((offsetBytes + at) / size)
      const start = offsetBytes + at - block * size
      const rest = bytes.length - at
      const completeBytes = start > 0 ? 0 : isLast ? rest : rest - (rest % size)
      const part = bytes.subarray(at, at + (completeBytes || this.#lengthOf(block) - start))
      if (completeBytes > 0) await this.#checkComplete(part, block)
      else this.#addPartial(part, block, start)
      at += part.length
    }
  }

  /** Adds an extent of zeros. */
  async addZeros(extent: VolumeExtent, signal?: AbortSignal): Promise<void> {
    const size = this.blockSizeBytes
    const zeros = new Uint8Array(Math.min(size, this.volumeSizeBytes))
    const zeroHash = sha256(zeros)
    const endBytes = extent.offsetBytes + extent.lengthBytes
    for (let at = extent.offsetBytes; at < endBytes;) {
      const block = Math.floor(at / size)
      const end = Math.min(endBytes, (block + 1) * size)
      if (block % BLOCKS_BETWEEN_YIELDS === 0) {
        throwIfAborted(signal, 'The verification')
        await new Promise(setImmediate)
      }
      if (end - at === size) this.#compare(block, zeroHash, 0)
      else await this.add(zeros.subarray(0, end - at), at)
      at = end
    }
  }

  async #checkComplete(bytes: Uint8Array, firstBlock: number): Promise<void> {
    const { sha256s } = await hashParts({ parts: [bytes], blockSizeBytes: this.blockSizeBytes, md5: false })
    if (!sha256s) return
    for (let index = 0; index * 32 < sha256s.length; index += 1)
      this.#compare(firstBlock + index, sha256s, index * 32)
  }

  #addPartial(part: Uint8Array, block: number, start: number): void {
    const length = this.#lengthOf(block)
    const partial = this.#partial.get(block) ?? { bytes: new Uint8Array(length), missingBytes: length }
    partial.bytes.set(part, start)
    partial.missingBytes -= part.length
    this.#partial.set(block, partial)
    if (partial.missingBytes > 0) return
    this.#partial.delete(block)
    this.#compare(block, sha256(partial.bytes), 0)
  }

  #compare(block: number, packed: Uint8Array, offset: number): void {
    this.#checked += 1
    if (this.hashes.equals(block, packed, offset)) return
    this.#bad ??= new Uint8Array(Math.ceil(this.hashes.length / 8))
    this.#bad[block >> 3] = (this.#bad[block >> 3] ?? 0) | (1 << (block & 7))
  }

  #lengthOf(block: number): number {
    return Math.min(this.blockSizeBytes, this.volumeSizeBytes - block * this.blockSizeBytes)
  }
}

/** The maximum number of problems in one report: a store that is gone would name every object. */
const MAX_PROBLEMS = 1000

/**
 * Verifies the newest backup of a chain. A fault does not stop it: it checks everything, and throws `VERIFY_FAILED` with
 * every problem in `details.problems`. An error of the store itself is thrown as it is.
 */
export async function runVerify(job: ChainJob, options: VerifyOptions): Promise<VerifyResult> {
  const { chain } = job
  const { level = 'quick' } = options
  assertValidChain(chain)
  const problems = [...(await compareWithListing(job)).missing]
  const [{ record, manifest }] = chain
  // A quick check needs the block hashes only where the size of the volume is nowhere else.
  const needsHashes = level === 'full' || (manifest.parentId !== null && !manifestStatesSize(chain))
  const volume = needsHashes ? await measureOrProblem(job, problems) : undefined
  const sizeBytes = volume?.sizeBytes ?? chainSizeByManifest(chain)
  let objectsChecked = chain.reduce((sum, layer) => sum + layer.manifest.objects.length, 0)
  let blocksChecked = 0
  if (level === 'full') {
    const sha256file = volume?.sha256file
    const check = sha256file && new BlockCheck(sha256file.hashes, sha256file.header.blockSizeBytes, sizeBytes)
    objectsChecked = await checkContents(job, sizeBytes, check, problems, options)
    blocksChecked = check?.blocksChecked ?? 0
  }
  if (problems.length > 0) throw verifyFailed(record.id, problems)
  const ids = chain.map((layer) => layer.record.id)
  return { backupId: record.id, level, chain: ids, objectsChecked, blocksChecked, sizeBytes }
}

/** Fetches every object of the chain, hidden ones too, and verifies the visible bytes against the block hashes. */
async function checkContents(
  job: ChainJob,
  sizeBytes: number,
  check: BlockCheck | undefined,
  problems: BackupProblem[],
  { signal, onProgress }: VerifyOptions,
): Promise<number> {
  const { chain } = job
  const map = buildExtentMap(chain, { offsetBytes: 0, lengthBytes: sizeBytes })
  const missing = new Set(problems.map((problem) => problem.objectName))
  const items = withHidden(chain, map.objects).filter(({ object }) => !missing.has(object.name))
  await loadCompressors(job, items)
  for (const item of items) assertFetchable(job, item)
  const total = items.reduce((sum, { object }) => sum + object.lengthBytes, 0)
  const meter = new ProgressMeter('verify', total, onProgress)
  const visitor: ObjectVisitor = {
    countedBytes: ({ object }) => object.lengthBytes,
    async visit(item, bytes, offsetBytes, onUsed) {
      let hiddenBytes = bytes.length
      for (const part of check ? visibleParts(bytes, offsetBytes, item.visible) : []) {
        for (const step of inSlices(part, check?.blockSizeBytes ?? 1)) {
          await check?.add(step.bytes, step.offsetBytes)
          onUsed(step.bytes.length)
          hiddenBytes -= step.bytes.length
        }
      }
      onUsed(hiddenBytes)
    },
    failed({ layer, object }, error) {
      if (!isStoredFault(error)) throw error
      problems.push(toProblem(error, layer.record.id, object.name))
    },
  }
  await visitObjects(job, items, visitor, { signal, operation: 'The verification', meter })
  for (const extent of map.uncovered) await check?.addZeros(extent, signal)
  for (const { offsetBytes, lengthBytes } of check?.badExtents(MAX_PROBLEMS) ?? []) {
    problems.push({
      code: 'OBJECT_CORRUPT',
      message: `${lengthBytes} bytes at ${offsetBytes} do not have the hashes of _sha256file`,
      backupId: chain[0].record.id,
      offsetBytes,
    })
  }
  meter.finish()
  return meter.objects
}

/** All objects of the chain: the visible ones in the volume's order, then those that newer ones hide. */
function withHidden(chain: Chain, visible: readonly VisibleObject[]): VisibleObject[] {
  const names = new Set(visible.map(({ object }) => object.name))
  const hidden = chain.flatMap((layer) =>
    layer.manifest.objects
      .filter((object) => !names.has(object.name))
      .map((object) => ({ layer, object, visible: [] })),
  )
  return [...visible, ...hidden]
}

/** The volume by its block hashes; undefined, with a problem, where they or a manifest are damaged. */
async function measureOrProblem(job: ChainJob, problems: BackupProblem[]): Promise<VolumeInfo | undefined> {
  const { id, prefix } = job.chain[0].record
  const { fault, ...volume } = await readVolumeInfo(job).catch((error: unknown) => {
    if (!isStoredFault(error)) throw error
    return { fault: error, sizeBytes: chainSizeByManifest(job.chain) }
  })
  if (!fault) return volume
  const { objectName = sha256fileObjectName(prefix), backupId = id } = fault.details
  if (!problems.some((problem) => problem.objectName === objectName))
    problems.push(toProblem(fault, backupId, objectName))
  return undefined
}

function toProblem(error: BackupError, backupId: string, objectName: string): BackupProblem {
  const { offsetBytes } = error.details
  const message = error.message.replace(DAMAGE_ADVICE, '').replace(/\.$/, '')
  const location = offsetBytes === undefined ? {} : { offsetBytes }
  return { code: error.code, message, backupId, objectName, ...location }
}

function verifyFailed(backupId: string, problems: readonly BackupProblem[]): BackupError {
  const shown = problems.slice(0, 3).map((problem) => problem.message)
  const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : ''
  return new BackupError(
    'VERIFY_FAILED',
    `Backup ${backupId} has ${problems.length} problem(s): ${shown.join('; ')}${more}. Make a new full backup of the volume while it exists.`,
    { backupId, problems: problems.slice(0, MAX_PROBLEMS) },
  )
}
