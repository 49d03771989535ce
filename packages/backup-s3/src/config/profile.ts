import { BackupError } from '@stowage/backup-core'
import { isMissingFile, readTextFile, type Environment } from '@stowage/http'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The settings of one profile, by their names in the files. */
export type ProfileSettings = Readonly<Record<string, string>>

/** The ways to sign in that only the AWS SDK has. A role overrides the keys of its profile, as in the AWS command line. */
const sdkSettings = [
  'role_arn',
  'sso_session',
  'sso_start_url',
  'credential_process',
  'web_identity_token_file',
]

/** Returns a variable; undefined if it is empty. */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name]
  return value === '' ? undefined : value
}

/**
 * Reads a profile of the AWS command line: of `~/.aws/credentials` and `~/.aws/config`, or the files that
 * `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name. Undefined if neither has it.
 *
 * @throws `CONFIG_INVALID` for a file that cannot be read or parsed
 */
export function readProfile(profile: string, env: Environment): ProfileSettings | undefined {
  const home = variable(env, 'HOME') ?? homedir()
  const credentialsFile = variable(env, 'AWS_SHARED_CREDENTIALS_FILE') ?? join(home, '.aws', 'credentials')
  const configFile = variable(env, 'AWS_CONFIG_FILE') ?? join(home, '.aws', 'config')
  const credentials = sectionsOf(credentialsFile, 'credentials').get(profile)
  const sections = sectionsOf(configFile, 'config')
  const config =
    sections.get(`profile ${profile}`) ?? (profile === 'default' ? sections.get(profile) : undefined)
  return credentials || config ? { ...config, ...credentials } : undefined
}

/** Whether a profile assumes a role, for which its keys, if it has any, are only the means. */
export function assumesRole(settings: ProfileSettings): boolean {
  return settings['role_arn'] !== undefined
}

/** @throws `CONFIG_INVALID` for a profile that needs the AWS SDK to sign in */
export function assertNoSdkSignIn(profile: string, settings: ProfileSettings): void {
  const found = sdkSettings.find((name) => settings[name] !== undefined)
  if (found === undefined) return
  throw new BackupError(
    'CONFIG_INVALID',
    `The profile ${profile} signs in by ${found}, which only the AWS SDK can do. Pass a provider of ` +
      '@aws-sdk/credential-providers as the option credentials, or give the command keys: eval "$(aws configure export-credentials ' +
      `--profile ${profile} --format env)".`,
  )
}

function sectionsOf(path: string, kind: string): Map<string, Record<string, string>> {
  let text: string
  try {
    text = readTextFile(path, `the ${kind} file ${path} of AWS`, 'CONFIG_INVALID')
  } catch (error) {
    if (isMissingFile(error)) return new Map()
    throw error
  }
  const sections = new Map<string, Record<string, string>>()
  let section: Record<string, string> | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/(?:^|\s)[#;].*$/, '').trimEnd()
    // An indented line is part of a nested setting, such as s3 =.
    if (content === '' || /^\s/.test(content)) continue
    const header = /^\[\s*([^\]]+?)\s*\]$/.exec(content)?.[1]
    if (header !== undefined) {
      // A name with spaces may be quoted: [profile "my own"].
      const name = header.replace(/\s+/g, ' ').replace(/(["'])(.*)\1$/, '$2')
      section = sections.get(name) ?? {}
      sections.set(name, section)
      continue
    }
    const setting = /^([^=]+?)\s*=\s*(.*)$/.exec(content)
    if (!setting?.[1] || !section) {
      // Without the line, which may be a secret.
      const message = `Line ${index + 1} of the ${kind} file ${path} is neither [SECTION] nor NAME = VALUE. Correct it.`
      throw new BackupError('CONFIG_INVALID', message)
    }
    section[setting[1].toLowerCase()] = setting[2] ?? ''
  }
  return sections
}
