import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const names = [
  'keystone',
  'keystoneShort',
  'keystoneTls',
  'swift',
  'swiftTls',
  'swiftV1',
  'swiftV1Tls',
  'account',
  'container',
  'object',
  'memcached',
]

// Below the ports that Linux gives to outgoing connections: one of those could take a port before its server does.
const lowest = 20_000
const highest = 32_000

/**
 * A port for each server of the lab: as `STOWAGE_PORT_<NAME>` says (STOWAGE_PORT_SWIFT_V1=8081), else as this lab had
 * it before, since Keystone's catalog has the numbers, else any that is free.
 */
export async function choosePorts(directory) {
  const file = join(directory, 'ports.json')
  const before = readJson(file)
  const ports = {}
  for (const name of names) {
    const wanted = fromEnvironment(name) ?? before[name]
    ports[name] =
      wanted === undefined ? await anyFreePort(Object.values(ports)) : await thisPort(name, wanted)
  }
  writeFileSync(file, JSON.stringify(ports, null, 2))
  return ports
}

function variableOf(name) {
  return `STOWAGE_PORT_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

function fromEnvironment(name) {
  const text = process.env[variableOf(name)]
  if (text === undefined) return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`${variableOf(name)} is ${text}, which is no port number.`)
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

async function thisPort(name, port) {
  if (await isFree(port)) return port
  throw new Error(
    `Port ${port} for ${name} is taken. Stop what listens there (ss -ltnp), or set ${variableOf(name)} and ` +
      'use a new directory.',
  )
}

async function anyFreePort(taken) {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (!taken.includes(port) && (await isFree(port))) return port
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
