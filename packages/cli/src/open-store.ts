import type { ChunkedBackupDriver, ChunkedDriverOptions } from '@stowage/backup-core'
import type { StoreSettings } from './command-context.js'
import { readersBeside } from './compression/lazy-compressor.js'
import type { CliIo } from './io.js'
import type { GlobalOptions } from './options/global-options.js'
import type { Output } from './output/output.js'
import type { NetworkLimits, OpenStore } from './store-url.js'

/** Opens a store while `work` runs. */
export async function withStore<T>(
  openStore: OpenStore,
  globals: GlobalOptions,
  settings: StoreSettings,
  env: CliIo['env'],
  output: Output,
  work: (driver: ChunkedBackupDriver) => Promise<T>,
): Promise<T> {
  const { concurrency, maxMemory, strict, bz2Engine, osCloud, cinderConf } = globals
  const { create, ...driverSettings } = settings
  const options: ChunkedDriverOptions = {
    ...driverSettings,
    decompressors: readersBeside(settings.compression, bz2Engine),
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
  const driver = await openStore(options, {
    osCloud,
    cinderConf,
    env,
    create,
    network: networkLimitsOf(globals),
  })
  try {
    return await work(driver)
  } finally {
    await driver.close()
  }
}

function networkLimitsOf({ timeout, retries, retryDeadline }: GlobalOptions): NetworkLimits {
  return { timeoutMs: timeout, retries, retryDeadlineMs: retryDeadline }
}
