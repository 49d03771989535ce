import { BackupError, type BackupErrorCode } from '../errors/backup-error.js'

/** What a JSON text is, for the error when it is not. */
export interface JsonSubject {
  /** How the message calls it. @default the object's name */
  readonly what?: string
  /** What the error says to do next. */
  readonly next?: string
  /** @default 'METADATA_INVALID' */
  readonly code?: BackupErrorCode
  readonly container?: string
  readonly objectName?: string
}

const defaultNext = 'It was damaged, or not written by a backup: use another copy of it, or another backup.'

/** The error for a text that is not what it should be. */
export function invalidJson(subject: JsonSubject, problem: string): BackupError {
  const { container, objectName } = subject
  const place = container === undefined ? '' : ` in container ${JSON.stringify(container)}`
  const what = subject.what ?? `Object ${JSON.stringify(objectName ?? '')}${place}`
  return new BackupError(
    subject.code ?? 'METADATA_INVALID',
    `${what} is not valid: ${problem}. ${subject.next ?? defaultNext}`,
    {
      ...(container === undefined ? {} : { container }),
      ...(objectName === undefined ? {} : { objectName }),
    },
  )
}
