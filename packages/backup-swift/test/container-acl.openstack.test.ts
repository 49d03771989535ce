import { bufferVolume, isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'
import { demoToken } from './lab-account.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const full = bufferVolume(patterned(200_000, 1))
const changed = bufferVolume(patterned(200_000, 2))

/** Removes a container with all that is in it. */
async function removeContainer(url: string, token: string): Promise<void> {
  const headers = { 'x-auth-token': token }
  const entries = (await (await fetch(`${url}?format=json`, { headers })).json()) as { name: string }[]
  for (const { name } of entries) await fetch(`${url}/${name}`, { method: 'DELETE', headers })
  await fetch(url, { method: 'DELETE', headers })
}

describe.skipIf(!lab)('a user of a container ACL of a real Swift', () => {
  it('backs up and restores there, and deletes only with `force` (A1)', { timeout: 120_000 }, async () => {
    const { demo, alice } = theLab().users
    const { token, storageUrl } = await demoToken()
    const [near, far] = [`acl-${randomUUID()}`, `acl-far-${randomUUID()}`]
    await using owner = new SwiftBackupDriver({
      ...plainRegion(),
      credentials: passwordOf(demo),
      container: near,
    })
    const warnings: string[] = []
    await using guest = new SwiftBackupDriver({
      ...plainRegion(),
      credentials: passwordOf(alice),
      storageUrl,
      container: near,
      search: 'container',
      onWarning: ({ code }) => warnings.push(code),
    })
    try {
      await owner.backup({ volumeId: 'v', backupId: 'acl-full' }, full)
      await owner.backup({ volumeId: 'v', backupId: 'acl-far', parent: 'acl-full', container: far }, changed)
      const acl = `${alice.projectId}:*`
      const headers = { 'x-auth-token': token, 'x-container-read': acl, 'x-container-write': acl }
      assert.equal((await fetch(`${storageUrl}/${near}`, { method: 'POST', headers })).status, 204)

      await guest.backup({ volumeId: 'v', backupId: 'acl-near', parent: 'acl-full' }, changed)
      await guest.restore('acl-near', bufferVolume())
      const before = (await owner.listBackups()).map(({ id }) => id)
      await assert.rejects(guest.deleteBackup('acl-near'), (error) => {
        assert.ok(isBackupError(error, 'DEPENDENTS_UNKNOWN'), String(error))
        assert.match(error.message, /Listing the containers of the account failed \(status 403/)
        return true
      })
      assert.deepEqual(
        (await owner.listBackups()).map(({ id }) => id),
        before,
      )
      assert.deepEqual(warnings, [])
      await guest.deleteBackup('acl-near', { force: true })
      assert.deepEqual(warnings, ['DEPENDENT_IGNORED'])
      await owner.restore('acl-far', bufferVolume())
      await owner.deleteBackup('acl-full', { withDescendants: true })
    } finally {
      for (const container of [near, far]) await removeContainer(`${storageUrl}/${container}`, token)
    }
  })
})
