import { isAbortError, reasonOfAbort } from '../errors/abort.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { mapIterable, messageOf } from '../errors/error-mapper.js'
import type { CodecOptions, Compressor, CompressOptions } from '../contracts/compressor.js'

/**
 * Wraps a compressor for the engine: an abort is `ABORTED`, however the compressor reports it, and any other failed
 * compression is `COMPRESSION_FAILED`. Other errors of a decompression are passed unchanged: the object is damaged.
 *
 * A result that is not shorter than its input breaks the contract, and storing it would save nothing: it becomes null.
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
        async () => shorterThan(bytes.length, await compressor.compress(bytes, options)),
        (error) => compressError(error, name, options),
      ),
    ...(compressParts && {
      compressParts: (parts: readonly Uint8Array[], options?: CompressOptions) =>
        attempt(
          async () => shorterThan(lengthOf(parts), await compressParts(parts, options)),
          (error) => compressError(error, name, options),
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

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0)

const shorterThan = (inputLengthBytes: number, result: Uint8Array | null): Uint8Array | null =>
  result !== null && result.length < inputLengthBytes ? result : null

function compressError(error: unknown, name: string, options: CodecOptions | undefined): unknown {
  return ofAbort(error, options) ?? engineFailed('Compressing', name, error)
}

function decompressError(error: unknown, name: string, options: CodecOptions | undefined): unknown {
  return ofAbort(error, options) ?? (isAbortError(error) ? engineFailed('Decompressing', name, error) : error)
}

/** After an abort any error of an engine counts as its consequence: terminated workers fail in many ways. */
function ofAbort(error: unknown, options: CodecOptions | undefined): BackupError | undefined {
  if (isBackupError(error)) return error
  return options?.signal?.aborted === true ? reasonOfAbort(options.signal) : undefined
}

function engineFailed(what: string, name: string, cause: unknown): BackupError {
  const message = `${what} with ${JSON.stringify(name)} failed: ${messageOf(cause)}. Try again, or use another compressor.`
  return new BackupError('COMPRESSION_FAILED', message, { cause })
}
