// Signs in with a token that is at hand, scoped to a project. It cannot outlive that token.
//   AUTH_URL=https://keystone.example/v3 TOKEN=… PROJECT_ID=… node scoped-token.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { AUTH_URL, TOKEN, PROJECT_ID } = process.env

const driver = await getBackupDriver({
  credentials: { method: 'token', authUrl: AUTH_URL, token: TOKEN, scope: { project: { id: PROJECT_ID } } },
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
