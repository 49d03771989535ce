import { BackupError } from '@stowage/backup-core'
import { cinderFlags, type CinderFlag } from './cinder-flags.js'
import { authParameterNames, credentialsOf, type AuthParameters } from './environment.js'
import type { CinderSwiftOptions, SwiftDriverOptions } from './options.js'
import { OsloConf } from './oslo-conf.js'
import { NotReadableError, readRegularFile, readRegularFileSync } from './regular-file.js'

/**
 * The options that a `cinder.conf` holds: each flag of `[DEFAULT]` under its own name, and `[service_user]` where
 * `backup_swift_service_auth` asks for it. Only what the file sets; the driver fills in the defaults.
 *
 * @param textOrPath The file's text (it has a line break, or begins with a group), or its path.
 * @throws `CONFIG_INVALID`, naming the line or the flag.
 */
export function fromCinderConf(textOrPath: string): SwiftDriverOptions {
  return parseCinderConf(textOf(textOrPath))
}

/** The same for what is known to be text. */
export function parseCinderConf(text: string): SwiftDriverOptions {
  const conf = new OsloConf(text, knownDefaults())
  const options: Record<string, string | number | boolean> = {}
  for (const flag of cinderFlags) {
    const set = conf.get('DEFAULT', flag.flag)
    if (set !== undefined) {
      const value = valueOf(flag, set)
      if (value !== undefined) options[flag.option] = value
    }
  }
  const cinder = options as CinderSwiftOptions
  return cinder.backupSwiftServiceAuth ? { ...cinder, serviceCredentials: serviceUser(conf) } : cinder
}

/** The text of a cinder.conf, read without blocking the process where a path is given. @throws `CONFIG_INVALID` */
export async function readCinderConf(textOrPath: string): Promise<string> {
  if (isText(textOrPath)) return textOrPath
  const bytes = await readRegularFile(textOrPath).catch((error: unknown) => {
    throw unreadable(textOrPath, error)
  })
  return decoded(bytes, textOrPath)
}

function textOf(textOrPath: string): string {
  if (isText(textOrPath)) return textOrPath
  let bytes: Buffer
  try {
    bytes = readRegularFileSync(textOrPath)
  } catch (error) {
    throw unreadable(textOrPath, error)
  }
  return decoded(bytes, textOrPath)
}

function isText(textOrPath: string): boolean {
  return textOrPath.includes('\n') || textOrPath.trimStart().startsWith('[')
}

function decoded(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw unreadable(
      path,
      new NotReadableError('it is not valid UTF-8. Check that it is a cinder.conf', false),
    )
  }
}

function unreadable(path: string, error: unknown): BackupError {
  const why = error instanceof NotReadableError ? error.message : 'an unknown error'
  return new BackupError('CONFIG_INVALID', `Cannot read the cinder.conf ${path}: ${why}.`, { cause: error })
}

function knownDefaults(): Record<string, string> {
  const flags = cinderFlags.flatMap(({ flag, default: value }) =>
    value === null ? [] : [[flag, String(value)]],
  )
  return { state_path: '/var/lib/cinder', ...(Object.fromEntries(flags) as Record<string, string>) }
}

function valueOf(flag: CinderFlag, text: string): string | number | boolean | undefined {
  switch (flag.type) {
    case 'boolean':
      return booleanOf(flag, text)
    case 'integer': {
      // Python's int(): spaces around it, a sign, underscores between digits.
      const match = /^\s*([+-]?\d+(?:_\d+)*)\s*$/.exec(text)
      const value = match?.[1] === undefined ? NaN : Number(match[1].replaceAll('_', ''))
      if (!Number.isSafeInteger(value)) throw invalid(flag, 'has to be a whole number')
      return value
    }
    case 'text':
      return textValue(flag, text)
  }
}

function textValue(flag: CinderFlag, text: string): string | undefined {
  // An empty value is no value to Cinder's own tests (`is None` aside) and never one that works.
  if (text === '') return undefined
  const value =
    flag.flag === 'backup_swift_auth_version' ? (/^v?([123])(?:\.0)?$/.exec(text)?.[1] ?? text) : text
  if (flag.choices && !flag.choices.includes(value))
    throw invalid(flag, `has to be one of ${flag.choices.join(', ')}`)
  return value
}

function booleanOf(flag: CinderFlag, text: string): boolean {
  const word = text.toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(word)) return true
  if (['false', '0', 'off', 'no'].includes(word)) return false
  throw invalid(flag, 'has to be true or false')
}

function serviceUser(conf: OsloConf): NonNullable<SwiftDriverOptions['serviceCredentials']> {
  const send = conf.get('service_user', 'send_service_user_token')
  if (send === undefined || !/^(?:true|1|on|yes)$/i.test(send)) {
    throw new BackupError(
      'CONFIG_INVALID',
      'backup_swift_service_auth is set, and so send_service_user_token of the group [service_user] has to be true.',
    )
  }
  const group = conf.get('service_user', 'auth_section') ?? 'service_user'
  const parameters: { -readonly [K in keyof AuthParameters]: string } = {}
  for (const name of authParameterNames) {
    const value = conf.get(group, name)
    if (value !== undefined && value !== '') parameters[name] = value
  }
  return credentialsOf(parameters, `The group [${group}]`)
}

function invalid(flag: CinderFlag, why: string): BackupError {
  return new BackupError('CONFIG_INVALID', `${flag.flag} ${why}.`)
}
