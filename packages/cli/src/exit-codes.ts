import type { BackupErrorCode } from '@stowage/backup-core'

/** The exit codes, for scripts. They never change. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** The operation failed: an unreadable source, a store that is full or does not answer, and every failure without a code of its own. */
  failed: 1,
  /** The command line is invalid; nothing was done. */
  usage: 2,
  /** The store, backup, container or source does not exist. */
  notFound: 3,
  /** A verification failed, or stored objects are damaged or missing. */
  corrupt: 4,
  /** Refused, because it would lose data or conflict with existing data. Nothing was changed. */
  refused: 5,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const byErrorCode: Partial<Record<BackupErrorCode, ExitCode>> = {
  ABORTED: exitCodes.interrupted,
  OPTION_INVALID: exitCodes.usage,
  CONFIG_INVALID: exitCodes.usage,
  NOT_A_FILE: exitCodes.usage,
  BACKUP_NOT_FOUND: exitCodes.notFound,
  STORE_MISSING: exitCodes.notFound,
  CONTAINER_MISSING: exitCodes.notFound,
  VERIFY_FAILED: exitCodes.corrupt,
  COPY_INCOMPLETE: exitCodes.corrupt,
  CHAIN_INVALID: exitCodes.corrupt,
  METADATA_INVALID: exitCodes.corrupt,
  RECORD_INVALID: exitCodes.corrupt,
  LISTING_INVALID: exitCodes.corrupt,
  OBJECT_MISSING: exitCodes.corrupt,
  OBJECT_CORRUPT: exitCodes.corrupt,
  OBJECT_TOO_LARGE: exitCodes.corrupt,
  OBJECT_LIST_MISMATCH: exitCodes.corrupt,
  MEMORY_LIMIT: exitCodes.refused,
  BACKUP_EXISTS: exitCodes.refused,
  HAS_DEPENDENTS: exitCodes.refused,
  DEPENDENTS_UNKNOWN: exitCodes.refused,
  BLOCK_SIZE_CHANGED: exitCodes.refused,
  VOLUME_GREW: exitCodes.refused,
  SOURCE_EMPTY: exitCodes.refused,
  SOURCE_SHRANK: exitCodes.refused,
  SOURCE_INCOMPLETE: exitCodes.refused,
  TARGET_TOO_SMALL: exitCodes.refused,
  TARGET_NOT_EMPTY: exitCodes.refused,
  TARGET_BUSY: exitCodes.refused,
  CONFLICT: exitCodes.refused,
}

/** The exit code of an engine's error; `failed` for every code without one of its own. */
export function exitCodeOf(code: BackupErrorCode): ExitCode {
  return byErrorCode[code] ?? exitCodes.failed
}

/** The table of `--help`. */
export const exitCodesHelp = `Exit codes:
  0    success
  1    failed (source unreadable, store full or unavailable, …)
  2    the command line is invalid; nothing was done
  3    the store, backup, container or source does not exist
  4    verification failed: objects missing or damaged
  5    rejected, since data might be lost or memory is short (target not empty, backup has dependents, …)
  129, 130, 143   ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM; the written objects were removed`
