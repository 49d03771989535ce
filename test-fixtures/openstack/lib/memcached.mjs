import { userInfo } from 'node:os'
import { findCommand } from './requirements.mjs'

/** Starts memcached, where Swift keeps the tokens of auth v1 and what Keystone said of others. */
export function startMemcached(ports, processes) {
  const args = [
    '-u',
    userInfo().username,
    '-l',
    '127.0.0.1',
    '-p',
    String(ports.memcached),
    '-U',
    '0',
    '-m',
    '64',
  ]
  processes.start('memcached', findCommand('memcached'), args)
}
