import { BackupError } from '../errors/backup-error.js'
import type { JsonSubject } from './json-subject.js'

/** The version of the format, the only one that there has been. */
export const FORMAT_VERSION = '1.0.0'

/** The error for any other version, in Cinder's words. */
export function unsupportedVersion(version: string, { container, objectName }: JsonSubject): BackupError {
  const shown = version.length > 100 ? `${version.slice(0, 100)}…` : version
  return new BackupError(
    'VERSION_UNSUPPORTED',
    `No support to restore backup version ${shown}. Stowage reads version ${FORMAT_VERSION}: use the program that wrote ${JSON.stringify(objectName ?? 'it')}, or a newer Stowage.`,
    {
      ...(container === undefined ? {} : { container }),
      ...(objectName === undefined ? {} : { objectName }),
    },
  )
}
