import { BackupError, checkArgument, optionRules } from '@stowage/backup-core'
import { parseCinderConf, readCinderConf } from './config/cinder-conf.js'
import { fromCloudsYaml } from './config/clouds-yaml.js'
import { fromEnvironment } from './config/environment.js'
import { checkStoreOptions } from './config/option-checks.js'
import type { SwiftDriverOptions } from './config/options.js'
import { saysHowToSignIn } from './config/sign-in.js'
import { SwiftBackupDriver } from './driver.js'

/** Options, and where others are to be looked for. */
export interface SwiftStoreOptions extends SwiftDriverOptions {
  /** A cloud of clouds.yaml to sign in to. @default OS_CLOUD, where nothing else says how to sign in */
  readonly cloud?: string
  /** A cinder.conf: its path, or its text. */
  readonly cinderConf?: string
}

/**
 * Makes a driver. What the options do not say is taken from `cinderConf`; how to sign in from `cloud`, and where
 * nothing says it, from the environment (`OS_CLOUD`, `OS_*`, `ST_*`).
 *
 * @throws `OPTION_INVALID`, `CONFIG_INVALID`. Nothing is sent yet: `checkForSetupError` does.
 */
export async function getBackupDriver(context: SwiftStoreOptions = {}): Promise<SwiftBackupDriver> {
  checkStoreOptions(context)
  return new SwiftBackupDriver(await resolveSources(context))
}

/**
 * Makes a driver for a store named by a URL: `swift://CONTAINER`, or `swift:` for the default container.
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

/** The container that a `swift:` URL names; undefined where it names none. */
export function containerOfUrl(url: string): string | undefined {
  const match = /^swift:(?:\/\/)?([^/?#]*)\/?$/i.exec(url)
  if (match?.[1] === undefined) {
    throw new BackupError('OPTION_INVALID', `${JSON.stringify(url)} is not of the form swift://CONTAINER.`)
  }
  if (match[1] === '') return undefined
  try {
    return decodeURIComponent(match[1])
  } catch (cause) {
    throw new BackupError('OPTION_INVALID', `${JSON.stringify(url)} has a % that encodes nothing.`, { cause })
  }
}

async function resolveSources({ cloud, cinderConf, ...own }: SwiftStoreOptions): Promise<SwiftDriverOptions> {
  const env = own.env ?? process.env
  const explicit = withoutUndefined(own)
  const text = cinderConf === undefined ? undefined : await readCinderConf(cinderConf)
  const conf = text === undefined ? {} : withoutTwins(parseCinderConf(text), explicit)
  const said = { ...conf, ...explicit }
  if (cloud !== undefined) return { ...(await fromCloudsYaml(cloud, { env })), ...said }
  if (saysHowToSignIn(said)) return said
  const named = env['OS_CLOUD']
  const found =
    named === undefined || named === '' ? fromEnvironment(env) : await fromCloudsYaml(named, { env })
  return { ...found, ...said }
}

/** The options of a file, less those whose other name was given explicitly. */
function withoutTwins(conf: SwiftDriverOptions, explicit: SwiftDriverOptions): SwiftDriverOptions {
  const twins = [
    ['backupSwiftContainer', 'container'],
    ['backupSwiftObjectSize', 'chunkSizeBytes'],
    ['backupSwiftBlockSize', 'blockSizeBytes'],
    ['backupCompressionAlgorithm', 'compression'],
  ] as const
  const hidden = new Set<string>(
    twins.filter(([, ours]) => explicit[ours] !== undefined).map(([flag]) => flag),
  )
  return Object.fromEntries(Object.entries(conf).filter(([name]) => !hidden.has(name)))
}

function withoutUndefined(options: SwiftDriverOptions): SwiftDriverOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
