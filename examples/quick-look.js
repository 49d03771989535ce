// Backs a disk image up, in full and then what changed, verifies it and restores it.
//   node quick-look.js disk.img ./backups restored.img
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-posix'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', path = './backups', restored = 'restored.img'] = process.argv.slice(2)

const driver = await getBackupDriver({ path, create: true, compression: zlib() })
const full = await driver.backup({ volumeId: 'disk-1' }, fileVolume(image))
const next = await driver.backup({ volumeId: 'disk-1', parent: full }, fileVolume(image))
await driver.verify(next, { level: 'full' })
await driver.restore(next, fileVolume(restored))
await driver.close()

console.log(
  `full ${full.id}: ${full.objectCount} objects; incremental ${next.id}: ${next.objectCount} objects`,
)
