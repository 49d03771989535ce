import { isBackupError } from '@stowage/backup-core'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import type { GlobalOptions } from '../options/global-options.js'
import { parseStoreUrl } from '../store-url.js'
import { loadBackend } from './load-backend.js'
import type { LoadedBackend } from './load-backend.js'

/** The store of a command line, whose URL is valid. */
export interface ChosenStore {
  readonly url: string
  readonly backend: LoadedBackend
}

/**
 * Loads the backend of `--store` and checks the URL. Does not access the store.
 *
 * @throws CliError `USAGE` for a URL that is missing or malformed, and as {@link loadBackend}
 */
export async function chooseStore(
  { store, backend: choices }: GlobalOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ChosenStore> {
  const { url, scheme } = parseStoreUrl(store)
  const backend = await loadBackend(scheme, choices, env)
  try {
    backend.value.checkUrl(url)
  } catch (cause) {
    // A backend may parse the URL with functions that throw other errors.
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = isBackupError(cause) ? why : `"${url}" is not a store URL: ${why}`
    throw new CliError('USAGE', message, {
      exitCode: exitCodes.usage,
      hint: `Stores of this backend: ${backend.value.urlSyntax.join(', ')}`,
      cause,
    })
  }
  return { url, backend }
}
