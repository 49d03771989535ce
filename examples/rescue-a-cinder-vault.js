// Restores every volume, as of its newest backup, from a directory that Cinder's POSIX driver filled: without Cinder,
// without its database.
//   node rescue-a-cinder-vault.js /var/lib/cinder/backup ./rescued
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-posix'
import { zlib } from '@stowage/compression-zlib'

const [vault = '/var/lib/cinder/backup', out = './rescued'] = process.argv.slice(2)

const driver = await getBackupDriver({ path: vault, decompressors: [zlib()] })
try {
  await mkdir(out, { recursive: true })
  const newest = new Map()
  for (const backup of await driver.listBackups()) newest.set(backup.volumeId, backup)
  for (const [volumeId, backup] of newest) {
    const image = join(out, `${volumeId}.img`)
    const { sizeBytes } = await driver.restore(backup, fileVolume(image))
    console.log(`${image}: ${sizeBytes} bytes, from backup ${backup.id} of ${backup.createdAt}`)
  }
} finally {
  await driver.close()
}
