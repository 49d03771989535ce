import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { main } from '../../src/index.js'

const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))

/** How a run of the command ended. */
export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A run of the command that is still going on. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
}

/** Starts the built command as a process, as a shell would. */
export function start(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  if (!existsSync(bin)) {
    throw new Error(`${bin} is missing. Run: npx lerna run build --scope @stowage/cli --include-dependencies`)
  }
  // Nothing of the tester's own STOWAGE_* may change what is tested.
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { PATH, HOME, ...env } })
  const ended = new Promise<Ended>((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    // The command may end before it has read its input.
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    child.on('close', (exitCode, signal) => {
      resolve({ exitCode, signal, stdout, stderr })
    })
  })
  return { child, ended }
}

/** Runs the command to its end in this process: a process of its own takes ten times as long to start. */
export async function stowage(
  cwd: string,
  args: readonly string[],
  { input, env }: { readonly input?: Uint8Array; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  if (process.cwd() !== cwd) throw new Error(`The command runs in ${process.cwd()}, not in ${cwd}.`)
  const { PATH = '', HOME = '' } = process.env
  let stdout = ''
  let stderr = ''
  const exitCode = await main(args, {
    stdin: Readable.from(input === undefined ? [] : [input]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { PATH, HOME, ...env },
  })
  return { exitCode, signal: null, stdout, stderr }
}

/** Runs it with `--json`, expects it to succeed, and returns what it said. */
export async function stowageJson<T>(
  cwd: string,
  args: readonly string[],
  options: { readonly input?: Uint8Array; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  const { exitCode, stdout, stderr } = await stowage(cwd, [...args, '--json'], options)
  if (exitCode !== 0) throw new Error(`stowage ${args.join(' ')} ended with ${String(exitCode)}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** The error object that `--json` left on stderr. */
export function errorOf({ stderr }: Ended): { readonly code: string } & Readonly<Record<string, unknown>> {
  const line = stderr.trimEnd().split('\n').at(-1) ?? ''
  return (JSON.parse(line) as { error: { code: string } }).error
}

/** Every file below a directory, but for the mark of a store; none where the directory does not exist. */
export async function filesBelow(directory: string): Promise<string[]> {
  if (!existsSync(directory)) return []
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name !== '.stowage-store')
    .map((entry) => entry.name)
}
