import type { Chain } from '../chain/chain.js'
import { checkHashList, statesSize, type HashListFinding } from '../chain/measure-volume.js'
import { assertSoundChain } from '../chain/sound-chain.js'
import { chainSizeByManifest, readBlockHashes, type BlockHashes } from '../chain/volume-size.js'
import type { VerifyOptions, VerifyResult } from '../contracts/requests.js'
import { BackupError, isBackupError, type BackupProblem } from '../errors/backup-error.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { findMissingObjects } from '../chain/missing-objects.js'
import { buildExtentMap, inSteps, shownParts, type VisibleObject } from '../chain/extent-map.js'
import { assertFetchable, DAMAGE_ADVICE, type ChainJob } from '../fetch/object-source.js'
import { ObjectPortions } from '../fetch/object-visitor.js'
import type { ObjectVisitor } from '../fetch/object-visitor.js'
import { layerAt, visitObjects } from '../fetch/visit-objects.js'
import { BlockCheck } from './block-check.js'
import { signalOptions } from '../contracts/object-store.js'

/** The most problems that one report carries; a store that is gone altogether would name every object. */
const MAX_PROBLEMS = 1000

/**
 * Verifies the newest backup of a chain. A fault does not stop it: it looks at everything, and throws `VERIFY_FAILED`
 * with every problem in `details.problems`. A store that does not answer is thrown as what it is.
 */
export async function runVerify(job: ChainJob, options: VerifyOptions): Promise<VerifyResult> {
  const { chain, source } = job
  assertSoundChain(chain)
  const level = options.level ?? 'quick'
  const problems = await findMissingObjects({
    store: source.store,
    chain,
    strict: job.strict,
    onWarning: source.onWarning,
    signal: options.signal,
  })
  const list = await hashesOrProblem(job, problems, options)
  const sizeBytes = list?.finding.sizeBytes ?? chainSizeByManifest(chain)
  let objectsChecked = chain.reduce((sum, layer) => sum + layer.metadata.objects.length, 0)
  let blocksChecked = 0
  if (level === 'full') {
    const check = list && new BlockCheck(list.blocks.hashes, list.blocks.header.blockSizeBytes, sizeBytes)
    objectsChecked = await checkContents(job, sizeBytes, check, problems, options)
    blocksChecked = check?.blocksChecked ?? 0
  }
  if (problems.length > 0) throw verifyFailed(chain, problems)
  return {
    backupId: chain[0].record.id,
    level,
    chain: chain.map((layer) => layer.record.id),
    objectsChecked,
    blocksChecked,
    sizeBytes,
  }
}

/** Fetches every object of the chain, hidden ones too, and holds what can be seen against the block hashes. */
async function checkContents(
  job: ChainJob,
  sizeBytes: number,
  check: BlockCheck | undefined,
  problems: BackupProblem[],
  options: VerifyOptions,
): Promise<number> {
  const { chain, source } = job
  const map = buildExtentMap(
    chain.map((layer) => layer.metadata.objects),
    { offsetBytes: 0, lengthBytes: sizeBytes },
  )
  const missing = new Set(problems.map((problem) => problem.objectName))
  const items = withHidden(chain, map.objects).filter(({ object }) => !missing.has(object.name))
  for (const { layer, object } of items) assertFetchable(source, layerAt(chain, layer), object)
  const total = items.reduce((sum, { object }) => sum + object.lengthBytes, 0)
  const meter = new ProgressMeter('verify', total, options.onProgress)
  const portions = new ObjectPortions(meter, ({ object }) => object.lengthBytes)
  const visitor: ObjectVisitor = {
    begin: (item) => portions.begin(item),
    async visit(item, bytes, offsetBytes) {
      let hiddenBytes = bytes.length
      for (const part of check ? shownParts(bytes, offsetBytes, item.visible) : []) {
        for (const step of inSteps(part, check?.blockSizeBytes ?? 1)) {
          await check?.add(step.bytes, step.offsetBytes)
          portions.use(item, step.bytes.length)
          hiddenBytes -= step.bytes.length
        }
      }
      portions.use(item, hiddenBytes)
    },
    done(item, storedBytes) {
      portions.finish(item, storedBytes)
    },
    failed({ object }, layer, error) {
      if (!isFinding(error)) throw error
      problems.push(toProblem(error, layer.record.id, object.name))
    },
  }
  await visitObjects(job, items, visitor, { signal: options.signal, operation: 'The verification' })
  for (const gap of map.gaps) await check?.addZeros(gap, options.signal)
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

/** All objects of the chain: those that can be seen, in the volume's order, then those that newer ones hide. */
function withHidden(chain: Chain, seen: readonly VisibleObject[]): VisibleObject[] {
  const names = new Set(seen.map(({ object }) => object.name))
  const hidden = chain.flatMap(({ metadata }, layer) =>
    metadata.objects
      .filter((object) => !names.has(object.name))
      .map((object) => ({ layer, object, visible: [] })),
  )
  return [...seen, ...hidden]
}

/** The block hashes and what they say of the size; undefined where they are not wanted, or are a problem themselves. */
async function hashesOrProblem(
  job: ChainJob,
  problems: BackupProblem[],
  options: VerifyOptions,
): Promise<{ readonly blocks: BlockHashes; readonly finding: HashListFinding } | undefined> {
  const { chain, source } = job
  const { record, metadata } = chain[0]
  // A quick check asks whether objects are there. The size of some chains is in the hash file alone.
  const sizeIsKnown = metadata.parentId === null || statesSize(chain)
  if ((options.level ?? 'quick') === 'quick' && sizeIsKnown) return undefined
  const objectName = sha256fileObjectName(record.prefix)
  try {
    const blocks = await readBlockHashes(source.store, record, signalOptions(options.signal))
    const finding = checkHashList(chain, blocks)
    const { kind, message } = finding
    if (kind === 'damaged')
      problems.push({ code: 'METADATA_INVALID', message, backupId: record.id, objectName })
    else if (kind === 'shrunk') source.onWarning({ code: 'VOLUME_SHRANK', message, backupId: record.id })
    return kind === 'damaged' ? undefined : { blocks, finding }
  } catch (error) {
    if (!isFinding(error)) throw error
    // The hashes may show that it is a manifest that is damaged.
    const damagedName = error.details.objectName ?? objectName
    if (!problems.some((problem) => problem.objectName === damagedName)) {
      problems.push(toProblem(error, error.details.backupId ?? record.id, damagedName))
    }
    return undefined
  }
}

/** Whether an error is a fault of the backup, and not of the way to it. */
function isFinding(error: unknown): error is BackupError {
  return (
    isBackupError(error, 'OBJECT_MISSING') ||
    isBackupError(error, 'OBJECT_CORRUPT') ||
    isBackupError(error, 'OBJECT_TOO_LARGE') ||
    isBackupError(error, 'METADATA_INVALID') ||
    isBackupError(error, 'VERSION_UNSUPPORTED')
  )
}

function toProblem(error: BackupError, backupId: string, objectName: string): BackupProblem {
  const { offsetBytes } = error.details
  return {
    code: error.code,
    message: error.message.replace(DAMAGE_ADVICE, ''),
    backupId,
    objectName,
    ...(offsetBytes === undefined ? {} : { offsetBytes }),
  }
}

function verifyFailed(chain: Chain, problems: readonly BackupProblem[]): BackupError {
  const [newest] = chain
  const shown = problems.slice(0, 3).map((problem) => problem.message)
  const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : ''
  return new BackupError(
    'VERIFY_FAILED',
    `Backup ${newest.record.id} has ${problems.length} fault(s): ${shown.join('; ')}${more}. Make a new full backup of the volume while it is there.`,
    { backupId: newest.record.id, problems: problems.slice(0, MAX_PROBLEMS) },
  )
}
