import { BackupError } from '@stowage/backup-core'
import { readTextFile } from '@stowage/http'
import type { CinderFlagTable } from './flags.js'
import { OsloConf } from './oslo-conf.js'

/** A cinder.conf that was read. */
export interface CinderConf {
  /** The options that the flags of `[DEFAULT]` set, without defaults. */
  readonly options: Readonly<Record<string, unknown>>
  /** The whole file, for its other groups. */
  readonly conf: OsloConf
}

/**
 * Reads the flags of `[DEFAULT]` that a table has.
 *
 * @param textOrPath - the text (it has a line break, or begins with a group), or the path of the file
 * @throws `CONFIG_INVALID` with the line or the flag
 */
export function readCinderConf(textOrPath: string, flags: CinderFlagTable): CinderConf {
  const isText = textOrPath.includes('\n') || textOrPath.trimStart().startsWith('[')
  const text = isText
    ? textOrPath
    : readTextFile(textOrPath, `the cinder.conf ${textOrPath}`, 'CONFIG_INVALID')
  const defaults = Object.values(flags).flatMap((flag) =>
    flag.default === undefined ? [] : [[flag.flag, String(flag.default)] as const],
  )
  const conf = new OsloConf(text, { state_path: '/var/lib/cinder', ...Object.fromEntries(defaults) })
  const options: Record<string, unknown> = {}
  for (const [name, { flag, read, rule }] of Object.entries(flags)) {
    const assigned = conf.get('DEFAULT', flag)
    const value = assigned === undefined ? undefined : read(assigned)
    if (value === undefined) continue
    // Without the value, which may be a secret.
    if (!rule.accepts(value)) {
      throw new BackupError('CONFIG_INVALID', `Option ${flag} of the cinder.conf must be ${rule.expected}.`)
    }
    options[name] = value
  }
  return { options, conf }
}
