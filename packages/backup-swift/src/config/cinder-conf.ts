import { BackupError } from '@stowage/backup-core'
import { isTrue, readCinderConf, type OsloConf } from '@stowage/cinder-conf'
import { credentialsOf } from './environment.js'
import { cinderOptions, type CinderSwiftOptions, type SwiftDriverOptions } from './options.js'

/**
 * Reads the options of a `cinder.conf`: the flags of `[DEFAULT]`, and `[service_user]` if `backup_swift_service_auth` is
 * true. Returns only what the file sets; the driver fills in the defaults.
 *
 * @param textOrPath - the text (it has a line break, or begins with a group), or the path of the file
 * @throws `CONFIG_INVALID` with the line or the flag
 */
export function fromCinderConf(textOrPath: string): SwiftDriverOptions {
  const { options, conf } = readCinderConf(textOrPath, cinderOptions)
  const cinder: CinderSwiftOptions = options
  return cinder.backupSwiftServiceAuth ? { ...cinder, serviceCredentials: serviceUser(conf) } : cinder
}

function serviceUser(conf: OsloConf): NonNullable<SwiftDriverOptions['serviceCredentials']> {
  if (!isTrue(conf.get('service_user', 'send_service_user_token'))) {
    throw new BackupError(
      'CONFIG_INVALID',
      'backup_swift_service_auth of the cinder.conf is true, but send_service_user_token of the group [service_user] is not: ' +
        'set it to true.',
    )
  }
  const group = conf.get('service_user', 'auth_section') ?? 'service_user'
  return credentialsOf(
    (name) => textOrUndefined(conf.get(group, name)),
    `The group [${group}] of the cinder.conf`,
  )
}

function textOrUndefined(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
