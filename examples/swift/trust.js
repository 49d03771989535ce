// Signs in as one user on behalf of another, by a trust.
//   AUTH_URL=https://keystone.example/v3 USERNAME=backup PASSWORD=… TRUST_ID=… node trust.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { AUTH_URL, USERNAME, PASSWORD, TRUST_ID, DOMAIN = 'Default' } = process.env

const driver = await getBackupDriver({
  credentials: {
    method: 'password',
    authUrl: AUTH_URL,
    username: USERNAME,
    userDomain: { name: DOMAIN },
    password: PASSWORD,
    scope: { trustId: TRUST_ID },
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
