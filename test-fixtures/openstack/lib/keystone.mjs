import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findCommand, python } from './requirements.mjs'

export const region = 'RegionOne'
export const tlsRegion = 'RegionTLS'
export const admin = { name: 'admin', password: 'adminpass', projectName: 'admin' }

/** How long the tokens of the second Keystone live. */
export const shortTokenSeconds = Number(process.env.STOWAGE_SHORT_TOKEN_SECONDS ?? 20)

const longTokenSeconds = 3_600

/**
 * Makes Keystone's database and keys. Two servers share them: one whose tokens live for an hour, and one whose tokens
 * live for seconds, so that a test chooses by the URL that it signs in at.
 */
export async function configureKeystone(directory, ports, processes) {
  const etc = join(directory, 'etc')
  for (const keys of ['fernet', 'credential']) makeKeys(join(directory, keys))
  writeFileSync(join(etc, 'keystone.conf'), keystoneConf(directory, longTokenSeconds))
  writeFileSync(join(etc, 'keystone-short.conf'), keystoneConf(directory, shortTokenSeconds))
  const database = join(directory, 'keystone.db')
  const done = join(directory, 'keystone.ready')
  if (existsSync(done)) return
  rmSync(database, { force: true })
  const config = ['--config-file', join(etc, 'keystone.conf')]
  const manage = (...args) =>
    processes.run('keystone-manage', findCommand('keystone-manage'), [...config, ...args])
  await manage('db_sync')
  // With a rollback journal, a reader in one server would lock a writer in the other out.
  const statement = `import sqlite3; sqlite3.connect(${JSON.stringify(database)}).execute('pragma journal_mode=wal')`
  await processes.run('sqlite', python, ['-c', statement])
  const url = `http://127.0.0.1:${ports.keystone}/v3/`
  const urls = ['admin', 'internal', 'public'].map((kind) => `--bootstrap-${kind}-url=${url}`)
  await manage(
    'bootstrap',
    `--bootstrap-username=${admin.name}`,
    `--bootstrap-password=${admin.password}`,
    `--bootstrap-project-name=${admin.projectName}`,
    '--bootstrap-service-name=keystone',
    `--bootstrap-region-id=${region}`,
    ...urls,
  )
  writeFileSync(done, '')
}

/** Starts both servers under uWSGI, as Debian does. */
export function startKeystone(directory, ports, processes) {
  const start = (name, port, config) => {
    const socket = ['--master', '--die-on-term', '--http-socket', `127.0.0.1:${port}`, '--processes', '1']
    const program = ['--plugins', 'python3', '--wsgi-file', findCommand('keystone-wsgi-public')]
    const options = ['--pyargv', `--config-file ${join(directory, 'etc', config)}`]
    processes.start(name, findCommand('uwsgi'), [...socket, ...program, ...options])
  }
  start('keystone', ports.keystone, 'keystone.conf')
  start('keystone-short', ports.keystoneShort, 'keystone-short.conf')
}

function makeKeys(directory) {
  if (existsSync(directory)) return
  mkdirSync(directory, { mode: 0o700 })
  for (const name of ['0', '1']) {
    // A Fernet key is 32 bytes in URL-safe base64, with its padding.
    const key = randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
    writeFileSync(join(directory, name), key, { mode: 0o600 })
  }
}

// The cache of credentials loses the secret of an EC2 credential (in Keystone 22).
const keystoneConf = (directory, seconds) => `[DEFAULT]
log_dir = ${join(directory, 'log')}
[database]
connection = sqlite:///${join(directory, 'keystone.db')}
[token]
provider = fernet
expiration = ${seconds}
[fernet_tokens]
key_repository = ${join(directory, 'fernet')}
[fernet_receipts]
key_repository = ${join(directory, 'fernet')}
[credential]
caching = false
key_repository = ${join(directory, 'credential')}
[identity]
# The least that bcrypt takes: these passwords are in the source.
password_hash_rounds = 4
[cache]
# Without it each request costs Keystone most of a second of CPU. Each server has a cache of its own.
enabled = true
backend = dogpile.cache.memory
[oslo_middleware]
enable_proxy_headers_parsing = true
`
