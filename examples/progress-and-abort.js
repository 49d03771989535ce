// Shows progress, and stops cleanly at Ctrl-C: an aborted backup removes what it wrote.
//   node progress-and-abort.js disk.img ./backups
import { fileVolume, isBackupError } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-posix'

const [image = 'disk.img', path = './backups'] = process.argv.slice(2)

const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Ctrl-C')))

const driver = await getBackupDriver({ path, create: true, chunkSizeBytes: 8 * 1024 * 1024 })
try {
  const backup = await driver.backup({ volumeId: 'disk-1', incremental: true }, fileVolume(image), {
    signal: stop.signal,
    onProgress: ({ percent, done }) => console.log(`${percent?.toFixed(1) ?? '?'} %  ${done} bytes`),
    onWarning: ({ message }) => console.warn(message),
  })
  console.log(`stored ${backup.id}`)
} catch (error) {
  if (!isBackupError(error, 'ABORTED')) throw error
  console.log('stopped; nothing was left behind')
  process.exitCode = 130
} finally {
  await driver.close()
}
