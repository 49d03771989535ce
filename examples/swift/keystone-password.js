// Signs in to Keystone v3 with a user's password, for a token of a project.
//   AUTH_URL=https://keystone.example/v3 USERNAME=demo PASSWORD=… PROJECT=demo node keystone-password.js disk.img nightly
import { fileVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { zlib } from '@stowage/compression-zlib'

const [image = 'disk.img', container = 'nightly'] = process.argv.slice(2)
const { AUTH_URL, USERNAME, PASSWORD, PROJECT, DOMAIN = 'Default' } = process.env

const driver = await getBackupDriver({
  credentials: {
    method: 'password',
    authUrl: AUTH_URL,
    username: USERNAME,
    userDomain: { name: DOMAIN },
    password: PASSWORD,
    scope: { project: { name: PROJECT, domain: { name: DOMAIN } } },
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
