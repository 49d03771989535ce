import { isAbortError, reasonOfAbort } from '../errors/abort.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { mapIterable } from '../errors/error-mapper.js'
import type { CodecOptions, Compressor } from '../contracts/compressor.js'

/**
 * A compressor as the engine calls it: an abort is `ABORTED`, however the compressor reports it, and a compression that
 * fails otherwise is `COMPRESSION_FAILED`. Other errors of a decompression stay as they are: the object is damaged.
 */
export function checkedCompressor(compressor: Compressor): Compressor {
  const { name, aliases, cinderCompatible } = compressor
  const compressParts = compressor.compressParts?.bind(compressor)
  const decompressStream = compressor.decompressStream?.bind(compressor)
  return {
    name,
    aliases,
    ...(cinderCompatible === undefined ? {} : { cinderCompatible }),
    compress: (bytes, options) =>
      attempt(
        () => compressor.compress(bytes, options),
        (error) => compressError(error, name, options),
      ),
    ...(compressParts && {
      compressParts: (...call: Parameters<typeof compressParts>) =>
        attempt(
          () => compressParts(...call),
          (error) => compressError(error, name, call[1]),
        ),
    }),
    decompress: (bytes, expectedLengthBytes, options) =>
      attempt(
        () => compressor.decompress(bytes, expectedLengthBytes, options),
        (error) => decompressError(error, name, options),
      ),
    ...(decompressStream && {
      decompressStream: (...call: Parameters<typeof decompressStream>) =>
        mapIterable(
          () => decompressStream(...call),
          (error) => decompressError(error, name, call[2]),
        ),
    }),
  }
}

async function attempt<T>(call: () => Promise<T>, toError: (error: unknown) => unknown): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toError(error)
  }
}

// After an abort any error of an engine counts as its consequence: workers that are ended fail in many ways.

function compressError(error: unknown, name: string, options: CodecOptions | undefined): unknown {
  if (isBackupError(error)) return error
  if (options?.signal?.aborted === true) return reasonOfAbort(options.signal)
  return engineFailed('Compressing', name, error)
}

function decompressError(error: unknown, name: string, options: CodecOptions | undefined): unknown {
  if (isBackupError(error)) return error
  if (options?.signal?.aborted === true) return reasonOfAbort(options.signal)
  return isAbortError(error) ? engineFailed('Decompressing', name, error) : error
}

function engineFailed(what: string, name: string, cause: unknown): BackupError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const message = `${what} with ${JSON.stringify(name)} failed: ${why}. Try again, or use another compressor.`
  return new BackupError('COMPRESSION_FAILED', message, { cause })
}
