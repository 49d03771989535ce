import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CliError } from '../src/cli-error.js'
import { parseStoreUrl } from '../src/store-url.js'

function refusal(url: string | undefined): CliError {
  try {
    parseStoreUrl(url)
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error(`${String(url)} was accepted`)
}

describe('parseStoreUrl', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-cli-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  it.each(['posix:', 'posix://', 'POSIX:', 'file://'])('opens the directory behind %s', async (scheme) => {
    const driver = await parseStoreUrl(scheme + directory)({}, { create: true })
    try {
      await driver.putContainer('nightly', {})
      const found: string[] = []
      for await (const name of driver.getContainers({})) found.push(name)
      expect(found).toEqual([])
    } finally {
      await driver.close()
    }
  })

  it('touches nothing by reading the URL', () => {
    expect(parseStoreUrl('posix:/nowhere/at/all')).toBeTypeOf('function')
  })

  it.each(['swift://nightly', 'swift:', 'SWIFT://n%C3%A4chtlich/'])(
    'opens %s without a request',
    async (url) => {
      // Nothing listens there: a request would fail.
      const env = { ST_AUTH: 'http://127.0.0.1:9/auth/v1.0', ST_USER: 'a:b', ST_KEY: 'k' }
      const driver = await parseStoreUrl(url)({}, { env })
      expect(driver.constructor.name).toBe('SwiftBackupDriver')
      await driver.close()
    },
  )

  it('signs in by the file that --cinder-conf names', async () => {
    const file = join(directory, 'cinder.conf')
    await writeFile(file, '[DEFAULT]\nbackup_swift_auth = single_user\n')
    const opening = parseStoreUrl('swift:')({}, { cinderConf: file, env: {} })
    await expect(opening).rejects.toThrow('backup_swift_user not set')
  })

  it.each(['swift://a/b', 'swift://a?b'])('refuses %s, which is not one container', (url) => {
    expect(refusal(url)).toMatchObject({ code: 'USAGE', exitCode: 2 })
  })

  it.each([undefined, ''])('asks for a store where there is %j', (url) => {
    expect(refusal(url)).toMatchObject({ code: 'USAGE', exitCode: 2 })
    expect(refusal(url).hint).toContain('--store')
  })

  it('tells a bare path how to become a URL', () => {
    expect(refusal('/backups').hint).toContain('posix:/backups')
  })

  it('names the package behind a scheme that it does not open', () => {
    expect(refusal('s3://bucket')).toMatchObject({ code: 'STORE_UNKNOWN', exitCode: 2 })
    expect(refusal('s3://bucket').message).toContain('@stowage/backup-s3')
  })

  it('lists what it opens for a scheme that nobody knows', () => {
    expect(refusal('gopher:hole')).toMatchObject({ code: 'STORE_UNKNOWN' })
    expect(refusal('gopher:hole').hint).toContain('posix:')
  })

  it.each(['posix:', 'posix://', 'posix://host/path', 'file:relative/../..//%zz', 'file://host/x'])(
    'refuses %s, which names no directory here',
    (url) => {
      expect(refusal(url)).toMatchObject({ code: 'USAGE', exitCode: 2 })
    },
  )
})
