// Signs in with auth version 1: TempAuth, swauth, Ceph's gateway.
//   AUTH_URL=https://swift.example/auth/v1.0 ACCOUNT_USER=account:user KEY=… node auth-v1.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { AUTH_URL, ACCOUNT_USER, KEY } = process.env

const driver = await getBackupDriver({
  credentials: { method: 'v1', authUrl: AUTH_URL, user: ACCOUNT_USER, key: KEY },
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
