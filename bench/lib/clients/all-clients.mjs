import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { bare } from './bare.mjs'
import { cinder } from './cinder.mjs'
import { duplicity } from './duplicity.mjs'
import { rclone } from './rclone.mjs'
import { restic } from './restic.mjs'
import { stowage } from './stowage.mjs'
import { swiftTool } from './swift-tool.mjs'

/**
 * Every client that the benchmark knows, Cinder first: the others are compared with it.
 *
 * @param {Parameters<typeof stowage>[0]} options what Stowage is run with
 * @param {string} [before] another build of the command
 */
export function allClients(options, before) {
  return [
    cinder(),
    stowage(options),
    ...(before === undefined ? [] : [stowage({ ...options, command: before, name: 'before' })]),
    swiftTool({ segments: false }),
    swiftTool({ segments: true }),
    rclone(),
    restic(),
    duplicity(),
    bare(),
  ]
}

/**
 * Whether a client's program is on this machine.
 *
 * @param {{ readonly program?: string | undefined }} client
 */
export function isInstalled({ program }) {
  if (program === undefined) return true
  if (program.includes('/')) return existsSync(program)
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)))
}
