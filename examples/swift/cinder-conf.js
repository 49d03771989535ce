// Takes everything from the cinder.conf that cinder-backup runs with.
//   CINDER_CONF=/etc/cinder/cinder.conf node cinder-conf.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { CINDER_CONF = '/etc/cinder/cinder.conf' } = process.env

const driver = await getBackupDriver({
  cinderConf: CINDER_CONF,
  container,
  compression: zlib(),
})
try {
  await driver.checkForSetupError()
  const backup = await driver.backup({ volumeId: 'disk-1', incremental: true }, fileVolume(image))
  console.log(`stored ${backup.id} in ${backup.container}`)
} finally {
  await driver.close()
}
