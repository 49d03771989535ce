import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { fromCinderConf, fromCloudsYaml, getBackupDriver, SwiftBackupDriver } from '../src/index.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stowage-config-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

const conf = '[DEFAULT]\nbackup_swift_container = nightly\n'
const tokenContext = { context: { authToken: 't' }, env: {} }

/** Files that are not regular, on which a reader would wait forever. */
async function endless(): Promise<readonly (readonly [string, RegExp])[]> {
  const fifo = join(directory, 'fifo')
  await promisify(execFile)('mkfifo', [fifo])
  await symlink(fifo, join(directory, 'link'))
  return [
    [fifo, /is a pipe, not a regular file\. Store the text in a file/],
    [join(directory, 'link'), /a pipe/],
    ['/dev/zero', /a device/],
    [directory, /a directory/],
  ]
}

function refuses(message: RegExp, code: 'CONFIG_INVALID' | 'OPTION_INVALID' = 'CONFIG_INVALID') {
  return (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }
}

describe('a configuration file', () => {
  it('that is not regular is refused without waiting', async () => {
    for (const [path, message] of await endless()) {
      await assert.rejects(getBackupDriver({ ...tokenContext, cinderConf: path }), refuses(message))
      assert.throws(() => fromCinderConf(path), refuses(message))
      const env = { OS_CLIENT_CONFIG_FILE: path }
      assert.throws(() => fromCloudsYaml('c', { env, directory }), refuses(message))
      assert.throws(
        () => new SwiftBackupDriver({ ...tokenContext, backupSwiftCaCertFile: path }),
        refuses(message, 'OPTION_INVALID'),
      )
    }
  })

  it('is read through symbolic links', async () => {
    await writeFile(join(directory, 'cinder.conf'), conf)
    await symlink(join(directory, 'cinder.conf'), join(directory, 'link'))
    assert.deepEqual(fromCinderConf(join(directory, 'link')), { backupSwiftContainer: 'nightly' })
    await using driver = await getBackupDriver({ ...tokenContext, cinderConf: join(directory, 'link') })
    assert.equal(driver.defaultContainer, 'nightly')
  })

  it('of more than a mebibyte, or that is not UTF-8, is refused with advice', async () => {
    const path = join(directory, 'cinder.conf')
    for (const [content, message] of [
      [conf + '#'.repeat(1024 * 1024), /the limit is 1048576/],
      [Buffer.from([0x5b, 0xff, 0xfe]), /not valid UTF-8/],
    ] as const) {
      await writeFile(path, content)
      await assert.rejects(getBackupDriver({ ...tokenContext, cinderConf: path }), refuses(message))
      assert.throws(
        () => fromCloudsYaml('c', { env: { OS_CLIENT_CONFIG_FILE: path }, directory }),
        refuses(message),
      )
    }
  })
})
