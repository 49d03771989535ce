import { isBackupDriver, isBackupError } from '@stowage/backup-core'
import type { ChunkedBackupDriver, ChunkedDriverOptions, NetworkLimits } from '@stowage/backup-core'
import { flagValues } from './backends/backend-flags.js'
import type { ChosenStore } from './backends/choose-store.js'
import { CliError } from './cli-error.js'
import type { StoreSettings } from './command-context.js'
import { findDecompressor } from './compression/load-compressor.js'
import { exitCodes } from './exit-codes.js'
import type { CliIo } from './io.js'
import type { GlobalOptions } from './options/global-options.js'
import type { Output } from './output/output.js'

/** Opens a store while `work` runs. */
export async function withStore<T>(
  store: ChosenStore,
  globals: GlobalOptions,
  settings: StoreSettings,
  env: CliIo['env'],
  output: Output,
  work: (driver: ChunkedBackupDriver) => Promise<T>,
): Promise<T> {
  const { concurrency, maxMemory, strict } = globals
  const { create = false, ...driverSettings } = settings
  const driverOptions: ChunkedDriverOptions = {
    ...driverSettings,
    findDecompressor: (algorithm) => findDecompressor(algorithm, globals, env),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(maxMemory === undefined ? {} : { maxMemoryBytes: maxMemory }),
    ...(strict === undefined ? {} : { strict }),
    onWarning: (warning) => {
      output.warning(warning)
    },
    onRetry: (event) => {
      output.retry(event)
    },
  }
  const { url, backend } = store
  const driver = await openedDriver(store, () =>
    backend.value.open(url, {
      driverOptions,
      flags: flagValues(backend, globals),
      env,
      create,
      network: networkLimitsOf(globals),
    }),
  )
  try {
    return await work(driver)
  } finally {
    await driver.close()
  }
}

/** Calls a backend that may be of others: it may throw anything, and return anything. */
async function openedDriver(
  { backend: { packageName } }: ChosenStore,
  open: () => Promise<unknown>,
): Promise<ChunkedBackupDriver> {
  let driver: unknown
  try {
    driver = await open()
  } catch (cause) {
    if (isBackupError(cause)) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CliError('BACKEND_INVALID', `The backend ${packageName} cannot open the store: ${why}`, {
      exitCode: exitCodes.failed,
      hint: 'Update the package, or report this to its authors. STOWAGE_DEBUG=1 prints the stack trace.',
      cause,
    })
  }
  if (isBackupDriver(driver)) return driver
  throw new CliError(
    'BACKEND_INVALID',
    `The backend ${packageName} returned a driver that this command cannot use: it does not extend the ChunkedBackupDriver of a compatible version of @stowage/backup-core.`,
    {
      exitCode: exitCodes.failed,
      hint: `Install versions that fit: npm install @stowage/cli@latest ${packageName}@latest (with -g, if stowage is installed so).`,
    },
  )
}

function networkLimitsOf({ timeout, retries, retryDeadline }: GlobalOptions): NetworkLimits {
  return {
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(retries === undefined ? {} : { retries }),
    ...(retryDeadline === undefined ? {} : { retryDeadlineMs: retryDeadline }),
  }
}
