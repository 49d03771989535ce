import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  TestCloud,
  testApplicationCredential,
  testTrust,
  testUsers,
  testV1User,
} from '../../test-fixtures/test-cloud/index.js'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../swift', import.meta.url))

/** Runs programs one after the other, each with the arguments and the environment of its own. */
const runner = `
  for (const { program, args, env } of JSON.parse(process.argv[1])) {
    process.argv = [process.execPath, new URL(program).pathname, ...args]
    process.env = env
    await import(program)
  }`

describe('the programs for each way of signing in to Swift', () => {
  let cloud: TestCloud
  let place: string
  let environments: Record<string, Record<string, string>>

  beforeAll(async () => {
    cloud = await TestCloud.start({ keystoneV2: true })
    place = await mkdtemp(join(tmpdir(), 'stowage-swift-examples-'))
    await writeFile(join(place, 'disk.img'), Buffer.alloc(300_000, 'a disk '))
    const { alice, demo } = testUsers
    const token = cloud.identity.issue(demo, demo.project.id).id
    const AUTH_URL = cloud.keystoneUrl
    const user = { AUTH_URL, USERNAME: demo.name, PASSWORD: demo.password }
    const clouds = join(place, 'clouds.yaml')
    await writeFile(
      clouds,
      `clouds:\n  prod:\n    auth:\n      auth_url: ${AUTH_URL}\n      username: demo\n      password: ${demo.password}\n` +
        '      user_domain_name: Default\n      project_name: demo\n      project_domain_name: Default\n',
    )
    const conf = join(place, 'cinder.conf')
    await writeFile(
      conf,
      `[DEFAULT]\nbackup_swift_auth = single_user\nbackup_swift_auth_version = 3\nbackup_swift_auth_url = ${AUTH_URL}\n` +
        `backup_swift_user = demo\nbackup_swift_key = ${demo.password}\nbackup_swift_project = demo\n`,
    )
    environments = {
      'clouds-yaml.js': { CLOUD: 'prod', OS_CLIENT_CONFIG_FILE: clouds },
      'environment.js': {
        OS_AUTH_URL: AUTH_URL,
        OS_USERNAME: demo.name,
        OS_PASSWORD: demo.password,
        OS_USER_DOMAIN_NAME: 'Default',
        OS_PROJECT_NAME: 'demo',
        OS_PROJECT_DOMAIN_NAME: 'Default',
      },
      'keystone-password.js': { ...user, PROJECT: 'demo' },
      'application-credential.js': {
        AUTH_URL,
        CREDENTIAL_ID: testApplicationCredential.id,
        CREDENTIAL_SECRET: testApplicationCredential.secret,
      },
      'trust.js': { AUTH_URL, USERNAME: alice.name, PASSWORD: alice.password, TRUST_ID: testTrust.id },
      'auth-v1.js': { AUTH_URL: cloud.v1AuthUrl, ACCOUNT_USER: testV1User.user, KEY: testV1User.key },
      'keystone-v2.js': { ...user, AUTH_URL: `${cloud.origin}/v2.0`, TENANT: 'demo' },
      'cinder-conf.js': { CINDER_CONF: conf },
      'scoped-token.js': { AUTH_URL, TOKEN: token, PROJECT_ID: demo.project.id },
      'given-token.js': { SWIFT_URL: `${cloud.origin}/v1/AUTH_`, PROJECT_ID: demo.project.id, TOKEN: token },
    }
  })
  afterAll(async () => {
    await cloud[Symbol.asyncDispose]()
    await rm(place, { recursive: true, force: true })
  })

  it('each store a backup, and are all that there are', async () => {
    const programs = (await readdir(folder)).sort()
    expect(programs).toEqual(Object.keys(environments).sort())
    // One process for all: most of the time of each would be spent on loading the packages.
    const runs = programs.map((program) => ({
      program: pathToFileURL(join(folder, program)).href,
      args: [join(place, 'disk.img'), program.replace('.js', '')],
      env: { HOME: place, ...environments[program] },
    }))
    const { stdout } = await run('node', ['--input-type=module', '--eval', runner, JSON.stringify(runs)])
    const expected = programs.map((program) => `stored [0-9a-f-]{36} in ${program.replace('.js', '')}\\n`)
    expect(stdout).toMatch(new RegExp(`^${expected.join('')}$`))
  }, 120_000)
})
