import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testKeys, TestS3 } from '../../../../test-fixtures/test-s3/index.js'
import { errorOf, stowage } from './stowage.js'
import type { Ended } from './stowage.js'
import { noise, useWorkbench } from './workbench.js'

const bench = useWorkbench()
let first: TestS3
let second: TestS3
beforeEach(async () => {
  first = await TestS3.start()
  second = await TestS3.start({ region: 'eu-north-1' })
})
afterEach(async () => {
  await first.close()
  await second.close()
})

/** Without the keys and the configuration of the tester. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  stowage(bench.directory, args, { env: { HOME: bench.path('home'), ...env } })

const keys = {
  AWS_ACCESS_KEY_ID: testKeys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: testKeys.secretAccessKey,
}

describe('an s3: store', () => {
  it('takes the keys and the endpoint of the environment', async () => {
    const env = { ...keys, AWS_ENDPOINT_URL_S3: first.origin, STOWAGE_STORE: 's3://nightly' }
    await bench.write('disk.img', noise(1, 300_000))
    expect((await run(['init'], env)).exitCode).toBe(0)
    const backup = await run(['backup', 'disk.img', '-q'], env)
    expect(backup).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await run(['verify', backup.stdout.trim(), '--level', 'full'], env)).exitCode).toBe(0)
    expect((await run(['restore', backup.stdout.trim(), 'back.img'], env)).exitCode).toBe(0)
    expect((await readFile(bench.path('back.img'))).equals(noise(1, 300_000))).toBe(true)
  })

  it('says what to set where there are no keys, and where the region is another', async () => {
    const store = ['list', '--store', 's3://nightly', '--json']
    const without = errorOf(await run([...store, '--s3-endpoint', first.origin]))
    expect(without.code).toBe('OPTION_INVALID')
    expect(without['message']).toMatch(/AWS_ACCESS_KEY_ID/)
    const other = errorOf(await run([...store, '--s3-endpoint', second.origin], keys))
    expect(other['message']).toMatch(/Set region to eu-north-1/)
    expect(
      (await run([...store, '--s3-endpoint', second.origin, '--s3-region', 'eu-north-1'], keys)).exitCode,
    ).toBe(0)
  })

  it('rejects a URL that is not one bucket', async () => {
    const error = errorOf(await run(['list', '--store', 's3://bucket/folder', '--json'], keys))
    expect(error).toMatchObject({ code: 'USAGE' })
    expect(error['message']).toMatch(/must have the form s3:\/\/BUCKET/)
  })
})

describe('a copy between two stores of one kind', () => {
  it('uses the options that the configuration has for each', async () => {
    await mkdir(bench.path('home/.aws'), { recursive: true })
    second.keys = [{ accessKeyId: 'OTHER', secretAccessKey: 'other-secret' }]
    await writeFile(
      bench.path('home/.aws/credentials'),
      `[here]\naws_access_key_id = ${testKeys.accessKeyId}\naws_secret_access_key = ${testKeys.secretAccessKey}\n` +
        '[there]\naws_access_key_id = OTHER\naws_secret_access_key = other-secret\n',
    )
    const stores = {
      here: { url: 's3://one', 's3-endpoint': first.origin, 's3-profile': 'here' },
      there: {
        url: 's3://two',
        ...{ 's3-endpoint': second.origin, 's3-profile': 'there', 's3-region': 'eu-north-1' },
      },
    }
    await writeFile(bench.path('stowage.config.json'), JSON.stringify({ stores }))
    await bench.write('disk.img', noise(2, 200_000))
    expect((await run(['init', '--store', 'here'])).exitCode).toBe(0)
    const backup = await run(['backup', 'disk.img', '--store', 'here', '-q'])
    expect(backup).toMatchObject({ exitCode: 0, stderr: '' })
    const copy = await run(['copy', '--all', '--store', 'here', '--to', 'there', '--create', '-q'])
    expect(copy).toMatchObject({ exitCode: 0, stderr: '' })
    expect([...(second.buckets.get('two')?.objects.keys() ?? [])].sort()).toEqual(
      [...(first.buckets.get('one')?.objects.keys() ?? [])].sort(),
    )
    expect((await run(['restore', backup.stdout.trim(), 'b.img', '--store', 'there'])).exitCode).toBe(0)
    expect((await readFile(bench.path('b.img'))).equals(noise(2, 200_000))).toBe(true)
    const unknown = errorOf(await run(['copy', '--all', '--store', 'here', '--to', 'nowhere', '--json']))
    expect(unknown['message']).toMatch(/not a store of .*stowage\.config\.json/)
  })
})
