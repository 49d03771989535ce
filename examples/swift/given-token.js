// Uses the token and address of somebody else's session (Cinder's `per_user`), and asks for a fresh one when it ends.
//   SWIFT_URL=https://swift.example/v1/AUTH_ PROJECT_ID=… TOKEN=… node given-token.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { SWIFT_URL, PROJECT_ID, TOKEN } = process.env

/** Wherever your session gets its tokens from. */
const freshToken = () => Promise.resolve(TOKEN)

const driver = await getBackupDriver({
  backupSwiftUrl: SWIFT_URL,
  credentials: { method: 'given-token', token: TOKEN, projectId: PROJECT_ID, renewToken: freshToken },
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
