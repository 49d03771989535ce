import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** Returns the scheme of a store URL in lower case; undefined where it has none. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
}

/**
 * Returns a URL of `--store` and its scheme.
 *
 * @throws CliError `USAGE` where it is not set or has no scheme
 */
export function parseStoreUrl(url: string | undefined): { readonly url: string; readonly scheme: string } {
  if (url === undefined || url === '') {
    throw new CliError('USAGE', 'Cannot open a store: --store is not set.', {
      exitCode: exitCodes.usage,
      hint: 'Add --store URL, such as posix:/backups or swift://CONTAINER, or set STOWAGE_STORE. `stowage --help` lists the kinds of stores.',
    })
  }
  const scheme = schemeOf(url)
  if (scheme === undefined) {
    throw new CliError('USAGE', `"${url}" is not a store URL: it has no scheme.`, {
      exitCode: exitCodes.usage,
      hint: `For a directory, say posix:${url}`,
    })
  }
  return { url, scheme }
}
