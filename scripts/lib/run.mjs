import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** npm in the form that this system starts it. */
export const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** A step that did not succeed; the message is for people, and nothing more is to be said of it. */
export class StepFailed extends Error {}

/** Runs a command of node_modules/.bin or of the system, with its output shown as it comes. */
export async function show(command, args, options = {}) {
  const child = start(command, args, { stdio: 'inherit', ...options })
  await succeeded(child, command, args)
}

/** Runs a command, and returns what it printed; on failure that is in the error. */
export async function capture(command, args, options = {}) {
  const child = start(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const out = []
  const both = []
  child.stdout.on('data', (piece) => out.push(piece) && both.push(piece))
  child.stderr.on('data', (piece) => both.push(piece))
  try {
    await succeeded(child, command, args)
  } catch (error) {
    throw new StepFailed(`${Buffer.concat(both).toString('utf8').trim()}\n${error.message}`, { cause: error })
  }
  return Buffer.concat(out).toString('utf8')
}

function start(command, args, options) {
  const bin = `${root}/node_modules/.bin`
  const path = options.env?.PATH ?? process.env.PATH ?? ''
  const separator = process.platform === 'win32' ? ';' : ':'
  const env = { ...process.env, ...options.env, PATH: `${bin}${separator}${path}` }
  const shell = process.platform === 'win32' // Where commands are .cmd files, which only a shell starts.
  return spawn(command, args, { cwd: root, shell, ...options, env })
}

async function succeeded(child, command, args) {
  const [code, signal] = await once(child, 'close')
  if (code === 0) return
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
  throw new StepFailed(`${[command, ...args].join(' ')} ${how}`)
}
