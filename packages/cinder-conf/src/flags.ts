import { optionRules as rules, type OptionRule } from '@stowage/backup-core'
import type { TableOption } from '@stowage/http'

/** What a flag has besides its name, rule and default. */
export interface FlagDetails {
  readonly unit?: 'bytes' | 'seconds' | 'attempts' | 'objects' | 'connections'
  readonly secret?: true
  /** The option of every driver that is the same. */
  readonly coreOption?: 'container' | 'chunkSizeBytes' | 'blockSizeBytes' | 'compression'
}

/** An option that Cinder has as a flag. Its name is the flag's, in camel case. */
export interface CinderFlag<T, D extends T | undefined> extends TableOption<T, D>, FlagDetails {
  readonly flag: string
  /** The value of the flag's text in a cinder.conf: the text itself where it cannot be one, undefined where it is unset. */
  readonly read: (text: string) => unknown
}

/** Any flag. */
export type AnyCinderFlag = CinderFlag<string | number | boolean, string | number | boolean | undefined>

/** The flags of a driver, by the names of their options. */
export type CinderFlagTable = Readonly<Record<string, AnyCinderFlag>>

function flag<T, D extends T | undefined>(
  name: string,
  read: (text: string) => unknown,
  rule: OptionRule,
  value: D,
  details: FlagDetails,
): CinderFlag<T, D> {
  const hint = (): string => `Its flag in a cinder.conf is ${name}.`
  return { flag: name, read, rule: { ...rule, hint }, default: value, ...details }
}

// An empty value is unset for Cinder's own tests, `is None` aside, and never one that works.
const textOf = (text: string): string | undefined => (text === '' ? undefined : text)

/** As Python's int() reads it: white space around it, a sign, underscores between digits. */
const integerOf = (text: string): number | string =>
  /^\s*[+-]?\d+(?:_\d+)*\s*$/.test(text) ? Number(text.replaceAll('_', '')) : text

const booleanOf = (text: string): boolean | string =>
  isTrue(text) || (/^(?:false|0|off|no)$/i.test(text) ? false : text)

/** Whether a text means true to OpenStack's tools. */
export function isTrue(text: string | undefined): boolean {
  return /^(?:true|1|on|yes)$/i.test(text ?? '')
}

/** A flag with a text. */
export function textFlag<const D extends string | undefined = undefined>(
  name: string,
  value?: D,
  details: FlagDetails = {},
): CinderFlag<string, D> {
  return flag(name, textOf, rules.nonEmptyText, value as D, details)
}

/** A flag with a whole number. */
export function integerFlag(
  name: string,
  value: number,
  min: 0 | 1,
  details: FlagDetails,
): CinderFlag<number, number> {
  return flag(name, integerOf, rules.wholeNumber(min), value, details)
}

/** A flag with a number of seconds. */
export function secondsFlag(name: string, value: number): CinderFlag<number, number> {
  const rule = {
    expected: 'a number of seconds of at least 0',
    accepts: (given: unknown) => typeof given === 'number' && Number.isFinite(given) && given >= 0,
  }
  return flag(name, integerOf, rule, value, { unit: 'seconds' })
}

/** A flag that is true or false. */
export function booleanFlag(name: string, value: boolean): CinderFlag<boolean, boolean> {
  return flag(name, booleanOf, rules.flag, value, {})
}

/** A flag with one of several words. `read` may translate spellings that Cinder accepts. */
export function choiceFlag<const T extends string>(
  name: string,
  choices: readonly T[],
  value: NoInfer<T>,
  read: (text: string) => unknown = textOf,
): CinderFlag<T, T> {
  return flag(name, read, rules.oneOf(...choices), value, {})
}

/** The flags of every backup driver of Cinder. */
export const commonFlags = {
  /** The name of the compression algorithm: of `compression` or one of `decompressors`. (Cinder's default is zlib.) */
  backupCompressionAlgorithm: textFlag('backup_compression_algorithm', undefined, {
    coreOption: 'compression',
  }),
  /** Whether a missing container is created. */
  backupCreateContainers: booleanFlag('backup_create_containers', true),
  /** The number of objects between two notifications to Ceilometer. Accepted without effect; `onProgress` reports each object. */
  backupObjectNumberPerNotification: integerFlag('backup_object_number_per_notification', 10, 0, {
    unit: 'objects',
  }),
  /** The interval of Cinder's periodic notification. Accepted without effect; `onProgress` reports instead. */
  backupTimerInterval: secondsFlag('backup_timer_interval', 120),
  /** The availability zone in the names of objects: `az_<zone>_backup_<id>`. */
  storageAvailabilityZone: textFlag('storage_availability_zone', 'nova'),
}
