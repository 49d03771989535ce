import type { BackupRecord, BackupRequest, BackupResult } from '@stowage/backup-core'
import { isBackupError } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { chooseVolumeId } from './choose-volume-id.js'
import type { CommandContext, StoreSettings } from './command-context.js'
import { defaultAlgorithm } from './compression/algorithms.js'
import type { CliIo } from './io.js'
import type { BackupCommandOptions } from './options/backup-options.js'
import { storedText, viewOf } from './output/backup-view.js'
import { formatDuration } from './output/duration.js'
import type { CommandResult } from './output/output.js'
import { fields } from './output/table.js'
import { resolveBackup } from './resolve-backup.js'
import { formatSize } from './sizes.js'
import type { SourceName } from './named-source.js'
import { sourceOf } from './volume-source.js'

/** Runs `stowage backup`. */
export async function runBackup(
  context: CommandContext,
  source: SourceName,
  options: BackupCommandOptions,
): Promise<void> {
  const { output, signal, io } = context
  const startMs = output.nowMs()
  // The command line is checked before the source is opened.
  await context.checkStore()
  const settings = await settingsOf(options, io.env)
  const { volume, realPath } = await sourceOf(source, io, options, (line) => {
    output.commandLine(line)
  })
  const result = await context.withStore(async (driver) => {
    const parent =
      options.parent === undefined ? undefined : await resolveBackup(driver, options.parent, signal)
    const { volumeId, origin } = chooseVolumeId({
      volumeId: options.volumeId,
      parent,
      realPath,
      incremental: options.incremental ?? false,
    })
    if (origin !== undefined) output.note(`volume id ${volumeId} (${origin})`)
    const show = output.startProgress(realPath === undefined ? 'the source or the store' : 'the store')
    const work = { signal, ...(show ? { onProgress: show } : {}) }
    try {
      return await driver.backup(requestOf(options, volumeId, parent), volume, work)
    } catch (error) {
      throw commandFailureIn(error)
    }
  }, settings)
  output.result(resultOf(result, Math.round(output.nowMs() - startMs)))
}

/** The error for a command that wrote the stream and failed, which the engine reports as a failed stream. */
function commandFailureIn(error: unknown): unknown {
  return isBackupError(error, 'SOURCE_READ') && error.cause instanceof CliError ? error.cause : error
}

async function settingsOf(options: BackupCommandOptions, env: CliIo['env']): Promise<StoreSettings> {
  const { chunkSize, blockSize, joinGap, create, strict } = options
  // Not imported at the top: it would be a chunk of the build of its own.
  const { compressorOf } = await import('./store.js')
  const compression = await compressorOf(options.compression ?? defaultAlgorithm, options, env)
  // For objects of zeros, which a driver that is not strict compresses all the same.
  const zlib = compression || strict ? undefined : await compressorOf('zlib', options, env)
  return {
    ...(chunkSize === undefined ? {} : { chunkSizeBytes: chunkSize }),
    ...(blockSize === undefined ? {} : { blockSizeBytes: blockSize }),
    ...(joinGap === undefined ? {} : { joinGapBytes: joinGap }),
    ...(compression ? { compression } : {}),
    ...(zlib ? { decompressors: [zlib] } : {}),
    ...(create === undefined ? {} : { create }),
  }
}

function requestOf(
  options: BackupCommandOptions,
  volumeId: string,
  parent: BackupRecord | undefined,
): BackupRequest {
  const { backupId, incremental, name, description, container, allowEmpty, allowShrink } = options
  return {
    volumeId,
    ...(backupId === undefined ? {} : { backupId }),
    ...(parent ? { parent } : {}),
    ...(incremental === true ? { incremental } : {}),
    ...(container === undefined ? {} : { container }),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(allowEmpty === true ? { allowEmpty } : {}),
    ...(allowShrink === true ? { allowShrink } : {}),
  }
}

function resultOf(record: BackupResult, elapsedMs: number): CommandResult {
  return {
    json: { ...viewOf(record), elapsedMs },
    quiet: `${record.id}\n`,
    human: fields([
      ['backup', record.id],
      ['kind', record.parentId === null ? 'full' : `incremental on ${record.parentId}`],
      ['volume', record.volumeId],
      ['size', formatSize(record.sizeBytes)],
      ['stored', storedText(record)],
      ['time', formatDuration(elapsedMs)],
    ]),
  }
}
