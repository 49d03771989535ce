import { copyBackup } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { FaultyBackupDriver, fault, type StoreOperation } from '@stowage/backup-testkit'

/*
 * Copies a backup between two directories, and kills itself with SIGKILL before the n-th call of an operation on the
 * destination. Prints what it stored otherwise.
 */

const [fromPath = '', toPath = '', backupId = '', operation = '', nth = '0'] = process.argv.slice(2)
const from = new FaultyBackupDriver(new PosixBackupDriver({ path: fromPath }))
const kill = fault.run(operation as StoreOperation, {
  nth: Number(nth),
  run: async () => {
    process.kill(process.pid, 'SIGKILL')
    await new Promise<void>(() => undefined)
  },
})
const to = new FaultyBackupDriver(new PosixBackupDriver({ path: toPath, create: true }), {
  faults: operation === '' ? [] : [kill],
})
await copyBackup(from, to, backupId)
const stored = to.calls
  .filter((call) => call.operation === 'writer.close')
  .map(({ objectName }) => objectName)
const read = from.calls
  .filter((call) => call.operation === 'getObjectReader')
  .map(({ objectName }) => objectName)
console.log(JSON.stringify({ stored, read }))
await from.close()
await to.close()
