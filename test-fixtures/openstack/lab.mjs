#!/usr/bin/env node
// Brings a real Swift and a real Keystone up on loopback, and takes them down again. See README.md.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeCertificates } from './lib/certificates.mjs'
import { configureKeystone, region, shortTokenSeconds, startKeystone, tlsRegion } from './lib/keystone.mjs'
import { startMemcached } from './lib/memcached.mjs'
import { choosePorts } from './lib/ports.mjs'
import { Processes } from './lib/processes.mjs'
import { installLine, missingRequirements } from './lib/requirements.mjs'
import { configureSwift, policies, startSwift, v1Users } from './lib/swift.mjs'
import { makeTenants, swiftUser } from './lib/tenants.mjs'

const startUpMs = 60_000

/** Brings the lab up under `directory`, and returns the path of the `env.json` that describes it. */
export async function up(directory) {
  const missing = missingRequirements()
  if (missing.length > 0) {
    throw new Error(`This machine lacks ${missing.join(', ')}. On Debian 12, as root:\n  ${installLine()}`)
  }
  const root = resolve(directory)
  for (const name of ['etc', 'log', 'tls']) mkdirSync(join(root, name), { recursive: true })
  const processes = new Processes(root)
  const running = processes.alive()
  if (running.length > 0) {
    throw new Error(`A lab runs in ${root} already (process ${running[0].pid}). Take it down first.`)
  }
  try {
    return await start(root, processes)
  } catch (error) {
    await processes.stop()
    throw error
  }
}

/** Ends all that `up` started in `directory`, also where it did not get to its end. */
export async function down(directory) {
  await new Processes(resolve(directory)).stop()
}

async function start(root, processes) {
  const ports = await choosePorts(root)
  const certificates = makeCertificates(join(root, 'tls'))
  await configureSwift(root, ports, swiftUser, processes)
  startMemcached(ports, processes)
  startSwift(root, processes)
  startTlsFront(root, ports, certificates, processes)
  await configureKeystone(root, ports, processes)
  startKeystone(root, ports, processes)

  const urls = urlsOf(ports)
  const doors = [
    `${urls.keystone}/`,
    `${urls.keystoneShort}/`,
    `${urls.swift}/healthcheck`,
    `${urls.swiftV1}/healthcheck`,
  ]
  await Promise.all(doors.map((url) => untilItAnswers(url, processes)))
  const tenants = await makeTenants(urls)
  const env = describe(root, urls, certificates, tenants, processes)
  const file = join(root, 'env.json')
  writeFileSync(file, `${JSON.stringify(env, null, 2)}\n`, { mode: 0o600 })
  return file
}

function startTlsFront(root, ports, { certFile, keyFile }, processes) {
  const fronts = [
    { port: ports.keystoneTls, targetPort: ports.keystone },
    { port: ports.swiftTls, targetPort: ports.swift },
    { port: ports.swiftV1Tls, targetPort: ports.swiftV1 },
  ]
  const config = join(root, 'etc', 'tls-front.json')
  writeFileSync(config, JSON.stringify({ certFile, keyFile, fronts }))
  const program = fileURLToPath(new URL('tls-front.mjs', import.meta.url))
  processes.start('tls-front', process.execPath, [program, config])
}

function urlsOf(ports) {
  const http = (port) => `http://127.0.0.1:${port}`
  const https = (port) => `https://127.0.0.1:${port}`
  return {
    keystone: `${http(ports.keystone)}/v3`,
    keystoneShort: `${http(ports.keystoneShort)}/v3`,
    keystoneTls: `${https(ports.keystoneTls)}/v3`,
    swift: http(ports.swift),
    swiftTls: https(ports.swiftTls),
    swiftV1: http(ports.swiftV1),
    swiftV1Tls: https(ports.swiftV1Tls),
  }
}

/** What tests read: `LabEnvironment` in lab-environment.ts is its type. */
function describe(root, urls, certificates, tenants, processes) {
  return {
    directory: root,
    keystoneUrl: urls.keystone,
    keystoneTlsUrl: urls.keystoneTls,
    shortTokenKeystoneUrl: urls.keystoneShort,
    shortTokenSeconds,
    region,
    tlsRegion,
    swiftUrl: urls.swift,
    swiftTlsUrl: urls.swiftTls,
    v1AuthUrl: `${urls.swiftV1}/auth/v1.0`,
    v1TlsAuthUrl: `${urls.swiftV1Tls}/auth/v1.0`,
    v1Users,
    caCertFile: certificates.caCertFile,
    otherCaCertFile: certificates.otherCaCertFile,
    policies,
    ...tenants,
    processes: Object.fromEntries(processes.alive().map(({ name, pid }) => [name, pid])),
  }
}

async function untilItAnswers(url, processes) {
  const deadline = Date.now() + startUpMs
  for (;;) {
    const answered = await fetch(url, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5_000),
    }).then(
      (answer) => answer.body?.cancel().then(() => true) ?? true,
      () => false,
    )
    if (answered) return
    const [dead] = processes.dead()
    if (dead || Date.now() > deadline) throw new Error(whyNot(url, dead, processes))
    await sleep(200)
  }
}

function whyNot(url, dead, processes) {
  if (!dead)
    return `Nothing answers at ${url} after ${startUpMs / 1000} s. The logs are in ${processes.logFile('*')}.`
  return `${dead.name} ended while it was starting:\n${processes.lastWords(dead.name)}`
}

async function main([command, directory, flag]) {
  if (
    directory === undefined ||
    !['up', 'down'].includes(command) ||
    ![undefined, '--remove'].includes(flag)
  ) {
    console.error('usage: lab.mjs up DIRECTORY\n       lab.mjs down DIRECTORY [--remove]')
    return 2
  }
  try {
    if (command === 'up') console.log(await up(directory))
    else await down(directory)
    if (command === 'down' && flag) rmSync(directory, { recursive: true, force: true })
    return 0
  } catch (error) {
    console.error(`lab.mjs: ${error.message}`)
    return 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = await main(process.argv.slice(2))
