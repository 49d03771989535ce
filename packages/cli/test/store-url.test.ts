import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChunkedBackupDriver } from '@stowage/backup-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseStore } from '../src/backends/choose-store.js'
import { CliError } from '../src/cli-error.js'
import { parseStoreUrl } from '../src/store-url.js'

async function refusal(store: string | undefined): Promise<CliError> {
  try {
    await chooseStore(store === undefined ? {} : { store }, {})
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error(`${String(store)} was accepted`)
}

interface Opening {
  readonly flags?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly create?: boolean
}

async function open(
  store: string,
  { flags = {}, env = {}, create = false }: Opening = {},
): Promise<ChunkedBackupDriver> {
  const { url, backend } = await chooseStore({ store }, {})
  return backend.value.open(url, { driverOptions: {}, flags, env, create, network: {} })
}

describe('a store URL', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-cli-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  it.each(['posix:', 'posix://', 'POSIX:', 'file://'])('opens the directory behind %s', async (scheme) => {
    const driver = await open(scheme + directory, { create: true })
    try {
      await driver.putContainer('nightly', {})
      const found: string[] = []
      for await (const name of driver.getContainers({})) found.push(name)
      expect(found).toEqual([])
    } finally {
      await driver.close()
    }
  })

  it('is checked without an access to the store', async () => {
    expect((await chooseStore({ store: 'posix:/nowhere/at/all' }, {})).url).toBe('posix:/nowhere/at/all')
  })

  it.each(['swift://nightly', 'swift:', 'SWIFT://n%C3%A4chtlich/'])(
    'opens %s without a request',
    async (url) => {
      // Nothing listens there: a request would fail.
      const env = { ST_AUTH: 'http://127.0.0.1:9/auth/v1.0', ST_USER: 'a:b', ST_KEY: 'k' }
      const driver = await open(url, { env })
      expect(driver.constructor.name).toBe('SwiftBackupDriver')
      await driver.close()
    },
  )

  it('signs in by the file that --cinder-conf names', async () => {
    const file = join(directory, 'cinder.conf')
    await writeFile(file, '[DEFAULT]\nbackup_swift_auth = single_user\n')
    await expect(open('swift:', { flags: { 'cinder-conf': file } })).rejects.toThrow(
      'backup_swift_user not set',
    )
  })

  it.each(['swift://a/b', 'swift://a?b', 'swift://%zz'])(
    'is rejected where it is not one container: %s',
    async (url) => {
      const error = await refusal(url)
      expect(error).toMatchObject({ code: 'USAGE', exitCode: 2 })
      expect(error.message).toContain(JSON.stringify(url))
      expect(error.hint).toContain('swift://CONTAINER')
    },
  )

  it.each([undefined, ''])('is required: %j', async (url) => {
    const error = await refusal(url)
    expect(error).toMatchObject({ code: 'USAGE', exitCode: 2 })
    expect(error.hint).toContain('--store')
  })

  it('that is a bare path is answered with the URL of that directory', async () => {
    expect((await refusal('/backups')).hint).toContain('posix:/backups')
  })

  it('has a scheme, whose case does not matter', () => {
    expect(parseStoreUrl('POSIX:/Backups')).toEqual({ url: 'POSIX:/Backups', scheme: 'posix' })
  })

  it.each(['posix:', 'posix://', 'posix://host/path', 'file:relative/../..//%zz', 'file://host/x'])(
    'is rejected where it names no directory here: %s',
    async (url) => {
      const error = await refusal(url)
      expect(error).toMatchObject({ code: 'USAGE', exitCode: 2 })
      expect(error.message).toContain('is not a store URL')
    },
  )
})
