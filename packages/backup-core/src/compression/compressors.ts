import { BackupError, isAbortError, isBackupError, reasonOfAbort } from '../errors/backup-error.js'
import type { CodecOptions, CompressOptions, Compressor } from '../contracts/compressor.js'
import { mapErrors, mapIterable, messageOf } from '../errors/error-mapper.js'

/** The names for data that is stored uncompressed; the store records all of them as `none`. */
const RAW_NAMES: ReadonlySet<string> = new Set(['none', 'off', 'no'])

/** The algorithm names that the object list of a backup may contain; its reader has the same limit. */
const NAME_PATTERN = /^[a-z0-9][a-z0-9_.-]{0,63}$/

/** Cinder's algorithms, and the package that reads each. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['zlib', '@stowage/compression-zlib'],
  ['gzip', '@stowage/compression-zlib'],
  ['bz2', '@stowage/compression-bz2'],
  ['bzip2', '@stowage/compression-bz2'],
  ['zstd', '@stowage/compression-zstd'],
])

/** The names of Cinder's compression algorithms, without `none` and its synonyms. */
export const CINDER_COMPRESSIONS: readonly string[] = [...PACKAGES.keys()]

/**
 * Returns why drivers reject a compressor for its `name`, `aliases` or `cinderCompatible`; undefined where they accept it.
 * The conformance suite uses the same check.
 */
export function compressorProblem({ name, aliases, cinderCompatible }: Compressor): string | undefined {
  const names = [name, ...aliases]
  for (const one of names) {
    const quoted = `The compressor name ${JSON.stringify(one)}`
    if (RAW_NAMES.has(one)) return `${quoted} is reserved for chunks that are not compressed. Choose another.`
    if (!NAME_PATTERN.test(one)) {
      return `${quoted} is not valid. Use 1 to 64 lower-case letters and digits, and _ . - after the first.`
    }
  }
  if (new Set(names).size < names.length)
    return `The compressor ${name} has a name twice: ${names.join(', ')}.`
  if (PACKAGES.has(name) || cinderCompatible === false) return undefined
  return `Cinder does not know the compression ${JSON.stringify(name)} and cannot restore its backups. Set cinderCompatible: false on the compressor to use it anyway, or use one of ${CINDER_COMPRESSIONS.join(', ')}.`
}

/** Returns the package to install for an algorithm, where one is known. */
export function packageForCompression(name: string): string | undefined {
  return PACKAGES.get(name.toLowerCase())
}

/** The compressors of one driver: no registry is shared, so that two copies of this package cannot disagree. */
export class Compressors {
  readonly #byName = new Map<string, Compressor>()
  readonly #errors = new Map<string, BackupError>()

  /**
   * Throws `OPTION_INVALID` for one with a {@link compressorProblem}.
   *
   * @param find - finds a compressor that is not among them
   */
  constructor(
    compressors: readonly Compressor[],
    readonly findMissing?: (algorithm: string) => Promise<Compressor | undefined>,
  ) {
    for (const compressor of compressors) this.#add(compressor)
  }

  #add(compressor: Compressor): void {
    const problem = compressorProblem(compressor)
    if (problem !== undefined) throw new BackupError('OPTION_INVALID', problem)
    for (const name of [compressor.name, ...compressor.aliases]) {
      // The first one wins: `compression` comes before `decompressors`.
      if (!this.#byName.has(name)) this.#byName.set(name, compressor)
    }
  }

  /**
   * Finds the compressors that are missing for these algorithms. {@link forName} throws the error of one that could not be
   * found, so that an object that nothing reads does not fail a restore.
   */
  async load(algorithms: Iterable<string>): Promise<void> {
    const find = this.findMissing
    if (!find) return
    const names = new Set([...algorithms].map((name) => name.toLowerCase()))
    for (const name of names) {
      if (RAW_NAMES.has(name) || this.#byName.has(name)) continue
      this.#errors.delete(name)
      try {
        const found = await find(name)
        if (found) this.#add(checkedFound(found, name))
      } catch (error) {
        this.#errors.set(name, notLoaded(name, error))
      }
    }
  }

  /** Each of them once. */
  get all(): readonly Compressor[] {
    return [...new Set(this.#byName.values())]
  }

  /** Returns null where there is none of this name. */
  find(name: string): Compressor | null {
    return this.#byName.get(name) ?? null
  }

  /** Returns null for uncompressed data. @throws BackupError `COMPRESSION_UNKNOWN`, which names the package to install */
  forName(name: string): Compressor | null {
    const lowerCase = name.toLowerCase()
    if (RAW_NAMES.has(lowerCase)) return null
    const found = this.#byName.get(lowerCase)
    if (found) return found
    throw this.#errors.get(lowerCase) ?? unknownCompression(name)
  }
}

/** Whether Cinder restores what this compressor writes. */
export function isCinderCompatible({ name, cinderCompatible }: Compressor): boolean {
  return PACKAGES.has(name) && cinderCompatible !== false
}

/** Checks a compressor that was found by name: it must read what it was found for. */
function checkedFound(found: Compressor, name: string): Compressor {
  if ([found.name, ...found.aliases].includes(name)) return checkedCompressor(found)
  throw new BackupError(
    'COMPRESSION_UNKNOWN',
    `\`findDecompressor\` returned a compressor for ${JSON.stringify(found.name)}, expected one for ${JSON.stringify(name)}.`,
  )
}

function notLoaded(name: string, cause: unknown): BackupError {
  if (isBackupError(cause)) return cause
  const message = `The compressor for ${JSON.stringify(name)} cannot be loaded: ${messageOf(cause)}`
  return new BackupError('COMPRESSION_UNKNOWN', message, { cause })
}

function unknownCompression(name: string): BackupError {
  const known = packageForCompression(name)
  const advice =
    known === undefined
      ? 'No package of Stowage reads it: pass a compressor of that name in `decompressors`.'
      : `Install ${known} (npm i ${known}) and pass its compressor in \`decompressors\`.`
  // The first words are Cinder's.
  return new BackupError('COMPRESSION_UNKNOWN', `unsupported compression algorithm: ${name}. ${advice}`)
}

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
      mapErrors(
        async () => shorterThan(bytes.length, await compressor.compress(bytes, options)),
        (error) => compressError(error, name, options),
      ),
    ...(compressParts && {
      compressParts: (parts: readonly Uint8Array[], options?: CompressOptions) =>
        mapErrors(
          async () => shorterThan(lengthOf(parts), await compressParts(parts, options)),
          (error) => compressError(error, name, options),
        ),
    }),
    decompress: (bytes, expectedLengthBytes, options) =>
      mapErrors(
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
