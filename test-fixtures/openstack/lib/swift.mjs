import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { python } from './requirements.mjs'

const fixture = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))

export const policies = ['gold', 'silver']

/** The user of auth v1, and one of another account. */
export const v1Users = [
  { user: 'test:tester', key: 'testing' },
  { user: 'other:other', key: 'another' },
]

/** Writes the configuration and the rings of a Swift with one disk, two storage policies and two proxies. */
export async function configureSwift(directory, ports, serviceUser, processes) {
  const etc = join(directory, 'etc')
  mkdirSync(join(directory, 'srv', 'd1'), { recursive: true })
  const write = (name, text) => writeFileSync(join(etc, name), text)
  write('swift.conf', swiftConf())
  for (const kind of ['account', 'container', 'object']) {
    write(`${kind}-server.conf`, storageConf(directory, kind, ports[kind]))
  }
  write(
    'proxy-server.conf',
    proxyConf(directory, ports, ports.swift, 'authtoken s3api s3token keystoneauth', serviceUser),
  )
  write('v1-proxy-server.conf', proxyConf(directory, ports, ports.swiftV1, 's3api tempauth', serviceUser))
  const rings = [etc, ports.account, ports.container, ports.object].map(String)
  await processes.run('make-rings', python, [fixture('make-rings.py'), ...rings])
}

/** Starts the servers of {@link configureSwift}. */
export function startSwift(directory, processes) {
  const start = (name, kind, config) => {
    processes.start(name, python, [fixture('swift-server.py'), kind, join(directory, 'etc', config)])
  }
  for (const kind of ['account', 'container', 'object']) {
    start(`swift-${kind}`, `${kind}-server`, `${kind}-server.conf`)
  }
  start('swift-proxy', 'proxy-server', 'proxy-server.conf')
  start('swift-v1-proxy', 'proxy-server', 'v1-proxy-server.conf')
}

function swiftConf() {
  const sections = policies.map(
    (name, index) => `[storage-policy:${index}]\nname = ${name}\ndefault = ${index === 0 ? 'yes' : 'no'}\n`,
  )
  return `[swift-hash]\nswift_hash_path_prefix = stowage\nswift_hash_path_suffix = lab\n${sections.join('')}`
}

// No worker processes beside the server itself, unless a benchmark asks for them.
const common = (directory, port) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
user = ${userInfo().username}
swift_dir = ${join(directory, 'etc')}
log_level = WARNING
workers = ${process.env.STOWAGE_SWIFT_WORKERS ?? 0}
`

const storageConf = (directory, kind, port) => `${common(directory, port)}devices = ${join(directory, 'srv')}
mount_check = false
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`

const before = 'catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk tempurl'
const after = 'copy container-quotas account-quotas slo dlo proxy-logging proxy-server'

const proxyConf = (directory, ports, port, auth, serviceUser) => `${common(directory, port)}[pipeline:main]
pipeline = ${before} ${auth} ${after}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${filters('catch_errors gatekeeper healthcheck listing_formats bulk tempurl copy slo dlo')}
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${ports.memcached}
[filter:tempauth]
use = egg:swift#tempauth
reseller_prefix = TEMPAUTH
token_life = ${process.env.STOWAGE_V1_TOKEN_SECONDS ?? 86_400}
${v1Users.map(({ user, key }) => `user_${user.replace(':', '_')} = ${key} .admin`).join('\n')}
[filter:s3api]
use = egg:swift#s3api
[filter:s3token]
use = egg:swift#s3token
auth_uri = http://127.0.0.1:${ports.keystone}/v3
# Without it each request asks Keystone.
secret_cache_duration = 60
${serviceSignIn(ports, serviceUser)}
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = http://127.0.0.1:${ports.keystone}/v3
${serviceSignIn(ports, serviceUser)}
delay_auth_decision = True
cache = swift.cache
include_service_catalog = False
service_token_roles = service
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin,member
reseller_prefix = AUTH
`

/** How Swift signs in to Keystone: for tokens, and for EC2 credentials. */
const serviceSignIn = (ports, serviceUser) => `auth_url = http://127.0.0.1:${ports.keystone}/v3
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = ${serviceUser.projectName}
username = ${serviceUser.name}
password = ${serviceUser.password}`

function filters(names) {
  return names
    .split(' ')
    .map((name) => `[filter:${name}]\nuse = egg:swift#${name}`)
    .join('\n')
}
