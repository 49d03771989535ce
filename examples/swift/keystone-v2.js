// Signs in to a Keystone that still has v2.0.
//   AUTH_URL=https://keystone.example/v2.0 USERNAME=demo PASSWORD=… TENANT=demo node keystone-v2.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { AUTH_URL, USERNAME, PASSWORD, TENANT } = process.env

const driver = await getBackupDriver({
  credentials: {
    method: 'keystone-v2',
    authUrl: AUTH_URL,
    username: USERNAME,
    password: PASSWORD,
    tenantName: TENANT,
  },
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
