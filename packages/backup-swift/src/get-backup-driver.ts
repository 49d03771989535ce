import { BackupError, checkArgument, optionRules } from '@stowage/backup-core'
import { withConf } from '@stowage/cinder-conf'
import { fromCinderConf } from './config/cinder-conf.js'
import { fromCloudsYaml } from './config/clouds-yaml.js'
import { fromEnvironment } from './config/environment.js'
import {
  checkStoreOptions,
  cinderOptions,
  type SwiftDriverOptions,
  type SwiftStoreOptions,
} from './config/options.js'
import { hasSignIn } from './config/sign-in.js'
import { SwiftBackupDriver } from './driver.js'
import { withoutUndefined } from '@stowage/http'

/**
 * Creates a driver. Options that are not set are read from `cinderConf`; the sign-in from `cloud` and, if no option has it,
 * from the environment (`OS_CLOUD`, `OS_*`, `ST_*`).
 *
 * @throws `OPTION_INVALID`, `CONFIG_INVALID`. Sends no request: `checkForSetupError` does.
 */
export function getBackupDriver(context: SwiftStoreOptions = {}): Promise<SwiftBackupDriver> {
  return new Promise((resolve) => {
    checkStoreOptions(context)
    resolve(new SwiftBackupDriver(withSources(context)))
  })
}

/**
 * Creates a driver for the URL of a store: `swift://CONTAINER`, or `swift:` for the default container.
 *
 * @throws as {@link getBackupDriver}
 */
export async function getBackupDriverForUrl(
  url: string,
  context: SwiftStoreOptions = {},
): Promise<SwiftBackupDriver> {
  checkArgument('the URL of getBackupDriverForUrl()', url, optionRules.nonEmptyText)
  checkStoreOptions(context)
  const container = containerOfUrl(url)
  return getBackupDriver(container === undefined ? context : { search: 'container', ...context, container })
}

/** Returns the container of a `swift:` URL; undefined if it names none. */
export function containerOfUrl(url: string): string | undefined {
  const match = /^swift:(?:\/\/)?([^/?#]*)\/?$/i.exec(url)
  if (match?.[1] === undefined) {
    throw new BackupError(
      'OPTION_INVALID',
      `The URL ${JSON.stringify(url)} must have the form swift://CONTAINER.`,
    )
  }
  try {
    return decodeURIComponent(match[1]) || undefined
  } catch (cause) {
    throw new BackupError(
      'OPTION_INVALID',
      `The URL ${JSON.stringify(url)} has invalid percent-encoding: write a literal % as %25.`,
      { cause },
    )
  }
}

function withSources({ cloud, cinderConf, ...given }: SwiftStoreOptions): SwiftDriverOptions {
  const env = given.env ?? process.env
  const explicit: SwiftDriverOptions = withoutUndefined(given)
  const conf: SwiftDriverOptions = cinderConf === undefined ? {} : fromCinderConf(cinderConf)
  const options = withConf(conf, explicit, cinderOptions)
  if (cloud !== undefined) return { ...fromCloudsYaml(cloud, { env }), ...options }
  if (hasSignIn(options)) return options
  const cloudOfEnv = env['OS_CLOUD']
  return { ...(cloudOfEnv ? fromCloudsYaml(cloudOfEnv, { env }) : fromEnvironment(env)), ...options }
}
