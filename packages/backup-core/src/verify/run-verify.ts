import { assertSoundChain, type Chain } from '../chain/chain.js'
import { buildExtentMap, inSteps, shownParts, type VisibleObject } from '../chain/extent-map.js'
import { findMissingObjects } from '../chain/missing-objects.js'
import {
  chainSizeByManifest,
  isStoredFault,
  measureVolume,
  statesSize,
  type MeasuredVolume,
} from '../chain/volume-size.js'
import { signalOptions } from '../contracts/object-store.js'
import type { VerifyOptions, VerifyResult } from '../contracts/requests.js'
import { BackupError, type BackupProblem } from '../errors/backup-error.js'
import { assertFetchable, DAMAGE_ADVICE, type ChainJob } from '../fetch/fetch-object.js'
import { visitObjects, type ObjectVisitor } from '../fetch/visit-objects.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { BlockCheck } from './block-check.js'

/** The maximum number of problems in one report: a store that is gone would name every object. */
const MAX_PROBLEMS = 1000

/**
 * Verifies the newest backup of a chain. A fault does not stop it: it checks everything, and throws `VERIFY_FAILED` with
 * every problem in `details.problems`. An error of the store itself is thrown as it is.
 */
export async function runVerify(job: ChainJob, options: VerifyOptions): Promise<VerifyResult> {
  const { store, chain, strict, onWarning } = job
  const { signal, level = 'quick' } = options
  assertSoundChain(chain)
  const problems = await findMissingObjects({ store, chain, strict, onWarning, signal })
  const [{ record, metadata }] = chain
  // A quick check needs the block hashes only where the size of the volume is nowhere else.
  const needsHashes = level === 'full' || (metadata.parentId !== null && !statesSize(chain))
  const volume = needsHashes ? await measureOrProblem(job, problems, options) : undefined
  const sizeBytes = volume?.sizeBytes ?? chainSizeByManifest(chain)
  let objectsChecked = chain.reduce((sum, layer) => sum + layer.metadata.objects.length, 0)
  let blocksChecked = 0
  if (level === 'full') {
    const blocks = volume?.blocks
    const check = blocks && new BlockCheck(blocks.hashes, blocks.header.blockSizeBytes, sizeBytes)
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
  for (const item of items) assertFetchable(job, item)
  const total = items.reduce((sum, { object }) => sum + object.lengthBytes, 0)
  const meter = new ProgressMeter('verify', total, onProgress)
  const visitor: ObjectVisitor = {
    countedBytes: ({ object }) => object.lengthBytes,
    async visit(item, bytes, offsetBytes, onUsed) {
      let hiddenBytes = bytes.length
      for (const part of check ? shownParts(bytes, offsetBytes, item.visible) : []) {
        for (const step of inSteps(part, check?.blockSizeBytes ?? 1)) {
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
  for (const gap of map.gaps) await check?.addZeros(gap, signal)
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
    layer.metadata.objects
      .filter((object) => !names.has(object.name))
      .map((object) => ({ layer, object, visible: [] })),
  )
  return [...visible, ...hidden]
}

/** The volume by its block hashes; undefined, with a problem, where they or a manifest are damaged. */
async function measureOrProblem(
  { store, chain, onWarning }: ChainJob,
  problems: BackupProblem[],
  { signal }: VerifyOptions,
): Promise<MeasuredVolume | undefined> {
  const { id, prefix } = chain[0].record
  const { fault, ...volume } = await measureVolume(store, chain, {
    ...signalOptions(signal),
    onWarning,
  }).catch((error: unknown) => {
    if (!isStoredFault(error)) throw error
    return { fault: error, sizeBytes: chainSizeByManifest(chain) }
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
  const place = offsetBytes === undefined ? {} : { offsetBytes }
  return { code: error.code, message, backupId, objectName, ...place }
}

function verifyFailed(backupId: string, problems: readonly BackupProblem[]): BackupError {
  const shown = problems.slice(0, 3).map((problem) => problem.message)
  const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : ''
  return new BackupError(
    'VERIFY_FAILED',
    `Backup ${backupId} has ${problems.length} fault(s): ${shown.join('; ')}${more}. Make a new full backup of the volume while it exists.`,
    { backupId, problems: problems.slice(0, MAX_PROBLEMS) },
  )
}
