import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const python = '/usr/bin/python3'
export const installScript = fileURLToPath(new URL('../install.sh', import.meta.url))

const commands = ['keystone-manage', 'keystone-wsgi-public', 'memcached', 'openssl', 'swift', 'uwsgi']
const modules = ['cinder', 'keystone', 'keystonemiddleware', 'swift', 'swiftclient', 'zstd']

/** Where a command is, also in the places that only root's PATH has; undefined when it is nowhere. */
export function findCommand(name) {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  return places.map((place) => join(place, name)).find((path) => existsSync(path))
}

/** The names of what the lab and the peer need and this machine lacks. */
export function missingRequirements() {
  const missing = commands.filter((name) => !findCommand(name))
  if (!existsSync(python)) return [...missing, python]
  const probe = `import importlib.util as u; print(*[m for m in ${JSON.stringify(modules)} if not u.find_spec(m)])`
  const absent = execFileSync(python, ['-c', probe], { encoding: 'utf8' }).trim()
  return [
    ...missing,
    ...absent
      .split(' ')
      .filter(Boolean)
      .map((name) => `python3 module ${name}`),
  ]
}

/** The line that installs everything on Debian 12. */
export function installLine() {
  return execFileSync('bash', [installScript, '--print'], { encoding: 'utf8' }).trim()
}
