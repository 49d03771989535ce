// Backs up what comes in on a pipe, whose size nobody knows beforehand.
//   pg_dump mydb | node back-up-a-stream.js ./backups mydb
import { getBackupDriver } from '@stowage/backup-posix'
import { zlib } from '@stowage/compression-zlib'

const [path = './backups', volumeId = 'stdin'] = process.argv.slice(2)

// A stream has no size to plan with: a chunk of 16 MiB is what each of the few buffers in flight then takes.
const driver = await getBackupDriver({
  path,
  create: true,
  compression: zlib(),
  chunkSizeBytes: 16 * 1024 * 1024,
})
try {
  const backup = await driver.backup({ volumeId, incremental: true }, process.stdin)
  const kind = backup.parentId === null ? 'full' : `incremental on ${backup.parentId}`
  console.log(`${backup.id}: ${backup.sizeBytes} bytes, ${kind}`)
} finally {
  await driver.close()
}
