// Signs in with a cloud of clouds.yaml (and secure.yaml), found where the OpenStack tools look for it.
//   CLOUD=prod node clouds-yaml.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { CLOUD = 'prod' } = process.env

const driver = await getBackupDriver({
  cloud: CLOUD,
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
