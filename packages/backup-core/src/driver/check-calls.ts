import { checkArgument, checkOptions } from '../options/check-options.js'
import { optionRules as rules } from '../options/rules.js'
import {
  backupReference,
  backupRequestShape,
  deleteShape,
  filterShape,
  lookupShape,
  operationShape,
  orphanShape,
  restoreShape,
  storeShape,
  verifyShape,
  volumeTarget,
} from './option-shapes.js'

/*
 * The arguments of a driver's public calls, checked before anything else is done: a misspelled option must not be
 * ignored. Each throws `OPTION_INVALID`.
 */

export function checkBackupCall(request: unknown, options: unknown): void {
  checkOptions('the request of backup()', request, backupRequestShape)
  checkOptions('the options of backup()', options, operationShape)
}

export function checkRestoreCall(backup: unknown, target: unknown, options: unknown): void {
  checkArgument('the backup of restore()', backup, backupReference)
  checkArgument('the target of restore()', target, volumeTarget)
  checkOptions('the options of restore()', options, restoreShape)
}

export function checkVerifyCall(backup: unknown, options: unknown): void {
  checkArgument('the backup of verify()', backup, backupReference)
  checkOptions('the options of verify()', options, verifyShape)
}

export function checkDeleteCall(backup: unknown, options: unknown): void {
  checkArgument('the backup of deleteBackup()', backup, backupReference)
  checkOptions('the options of deleteBackup()', options, deleteShape)
}

export function checkOrphansCall(options: unknown): void {
  checkOptions('the options of removeOrphans()', options, orphanShape)
}

export function checkGetCall(backupId: unknown, options: unknown): void {
  checkArgument('the backup id of getBackup()', backupId, rules.nonEmptyText)
  checkOptions('the options of getBackup()', options, lookupShape)
}

export function checkListCall(filter: unknown): void {
  checkOptions('the filter of listBackups()', filter, filterShape)
}

/** `getChain` and `exportRecord`. */
export function checkReferenceCall(call: string, backup: unknown, options: unknown): void {
  checkArgument(`the backup of ${call}()`, backup, backupReference)
  checkOptions(`the options of ${call}()`, options, storeShape)
}

export function checkImportCall(record: unknown, options: unknown): void {
  // What is in it may come from a file, and has a code of its own: RECORD_INVALID.
  checkArgument('the record of importRecord()', record, {
    ...rules.object,
    expected: 'an object with backupService and backupUrl',
    hint: () => 'Pass what exportRecord() gave, or parse its JSON first.',
  })
  checkOptions('the options of importRecord()', options, storeShape)
}
