// Signs in to Keystone v3 with an application credential: no password, and no more rights than it was given.
//   AUTH_URL=https://keystone.example/v3 CREDENTIAL_ID=… CREDENTIAL_SECRET=… node application-credential.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { AUTH_URL, CREDENTIAL_ID, CREDENTIAL_SECRET } = process.env

const driver = await getBackupDriver({
  credentials: {
    method: 'application-credential',
    authUrl: AUTH_URL,
    id: CREDENTIAL_ID,
    secret: CREDENTIAL_SECRET,
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
