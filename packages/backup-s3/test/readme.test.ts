import { bufferVolume } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { optionMeanings, shownDefault, tableUnder } from '../../../test-fixtures/option-docs.js'
import { patterned } from '../../../test-fixtures/patterned.js'
import { testKeys, TestS3 } from '../../../test-fixtures/test-s3/index.js'
import { cinderFlags, s3Options, sourceOptions } from '../src/config/options.js'
import { S3BackupDriver } from '../src/index.js'
import { meanings } from '../src/s3/failures.js'
import { faultTable } from './fault-table.js'
import { optionsFor } from './support.js'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const meaningOf = await optionMeanings(new URL('../src/config/options.ts', import.meta.url))

/** The first block of code in a language. */
function block(language: string): string {
  const [, text] = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(readme) ?? []
  assert.ok(text, `there is a block of ${language}`)
  return text
}

describe('the tables of the README', () => {
  it('have every flag with its default, unit and meaning, in the order of the code', () => {
    assert.deepEqual(
      tableUnder(readme, "Cinder's options"),
      cinderFlags.map(([option, { default: value, unit = '' }]) => [
        `\`${option}\``,
        shownDefault(value),
        unit,
        meaningOf(option),
      ]),
    )
  })

  it('have every other option with its default and meaning, in the order of the code', () => {
    assert.deepEqual(
      tableUnder(readme, 'Options'),
      Object.entries({ ...sourceOptions, ...s3Options }).map(([option, { default: value }]) => [
        `\`${option}\``,
        shownDefault(value),
        meaningOf(option),
      ]),
    )
  })

  it('have every code of S3 with its error, its retries and what to do', () => {
    assert.deepEqual(
      tableUnder(readme, 'Errors'),
      Object.entries(meanings).map(([name, { code, retry, maxRetries, text }]) => [
        `\`${name}\``,
        `\`${code}\``,
        retry === 'never' ? 'no' : maxRetries === undefined ? 'yes' : `${maxRetries} times`,
        text,
      ]),
    )
  })

  it('have every fault that the tests inject, with its outcomes', () => {
    const words = (outcomes: readonly string[]): string =>
      outcomes.map((outcome) => (outcome === 'success' ? 'success' : `\`${outcome}\``)).join(' or ')
    assert.deepEqual(
      tableUnder(readme, 'Faults'),
      faultTable.map(({ name, once, always }) => [name, words(once), words(always)]),
    )
  })
})

describe('the program of the README', () => {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_ENDPOINT_URL_S3', 'HOME']
  const before = new Map(names.map((name) => [name, process.env[name]]))
  let directory: string
  let s3: TestS3
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-s3-readme-'))
    s3 = await TestS3.start({ region: 'eu-central-1' })
  })
  afterEach(async () => {
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    await s3.close()
    await rm(directory, { recursive: true })
  })

  it('backs up and restores with AWS_* of the environment', async () => {
    const disk = patterned(100_000, 8)
    await writeFile(join(directory, 'disk.img'), disk)
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: testKeys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testKeys.secretAccessKey,
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: s3.origin,
      HOME: directory,
    })
    const program = block('js').replaceAll(/'((?:disk|restored)\.img)'/g, (_all, name: string) =>
      JSON.stringify(join(directory, name)),
    )
    assert.ok(program.trim().split('\n').length <= 12)
    const file = join(directory, 'program.ts')
    await writeFile(file, program)
    await import(pathToFileURL(file).href)
    assert.deepEqual(await readFile(join(directory, 'restored.img')), disk)
    assert.deepEqual([...s3.buckets.keys()], ['nightly-backups'])
  })
})

/** The action of IAM that a request needs. */
function actionOf({ method, target }: { readonly method: string; readonly target: string }): string {
  const [path = '', query = ''] = target.split('?', 2)
  const isObject = /^\/[^/]+\/./.test(path)
  if (path === '/') return 's3:ListAllMyBuckets'
  if (!isObject && method === 'PUT') return 's3:CreateBucket'
  if (!isObject && query.includes('delete')) return 's3:DeleteObject'
  if (!isObject) return query.includes('uploads') ? 's3:ListBucketMultipartUploads' : 's3:ListBucket'
  if (method === 'DELETE') return query.includes('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject'
  return method === 'PUT' || method === 'POST' ? 's3:PutObject' : 's3:GetObject'
}

describe('the policy of the README', () => {
  it('has the actions that a backup, a restore, a delete and gc need in a bucket that exists, and no other', async () => {
    const { Statement } = JSON.parse(block('json')) as { Statement: { Action: string[] }[] }
    const allowed = new Set(Statement.flatMap(({ Action }) => Action))
    await using s3 = await TestS3.start()
    const container = 'nightly-backups'
    s3.buckets.set(container, { objects: new Map(), uploads: new Map() })
    s3.faults.add({
      fault: { kind: 'status', status: 403 },
      when: (request) => !allowed.has(actionOf(request)),
      times: Infinity,
    })
    const options = { ...optionsFor(s3), container, search: 'container' as const }
    await using driver = new S3BackupDriver({ ...options, multipartThresholdBytes: 5 * 1024 ** 2 })
    await driver.checkForSetupError()
    const volume = patterned(6 * 1024 ** 2, 2)
    const full = await driver.backup({ volumeId: 'web-1' }, bufferVolume(volume))
    const next = await driver.backup({ volumeId: 'web-1', parent: full }, bufferVolume(volume))
    await driver.verify(next, { level: 'full' })
    const target = bufferVolume()
    await driver.restore(next, target)
    assert.ok(volume.equals(target.bytes))
    s3.buckets
      .get(container)
      ?.uploads.set('old', { objectName: 'volume_a/1', begunAt: new Date(0), headers: {}, parts: new Map() })
    await driver.removeOrphans({ olderThanMs: 1000 })
    await driver.deleteBackup(full, { withDescendants: true })
    const used = new Set(s3.requests.map(actionOf))
    // A delete asks for the other buckets, and does without.
    used.delete('s3:ListAllMyBuckets')
    assert.deepEqual([...used].sort(), [...allowed].sort())
  })
})
