/** Names for no compression. All of them are recorded as `none`. */
export const rawNames: readonly string[] = ['none', 'off', 'no']

/** The algorithms that Cinder restores. */
export const cinderAlgorithms: readonly string[] = ['zlib', 'gzip', 'bz2', 'bzip2', 'zstd']

/** Cinder's own default, so that a backup without options is one that Cinder would have written. */
export const defaultAlgorithm = 'zlib'

/**
 * Parses the name of a compression algorithm.
 *
 * @throws RangeError where no store could record it
 */
export function parseAlgorithm(text: string): string {
  if (/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(text)) return text
  const known = [...rawNames, ...cinderAlgorithms].join(', ')
  throw new RangeError(`Give one of ${known}, or the algorithm of another installed package, in lower case.`)
}
