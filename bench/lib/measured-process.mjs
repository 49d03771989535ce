import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const gnuTime = '/usr/bin/time'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
let ending = false

/**
 * What to run.
 *
 * @typedef {object} Command
 * @property {readonly string[]} argv
 * @property {Readonly<Record<string, string>>} [env] added to this process's
 * @property {string} [stdinFile]
 * @property {string} [cwd]
 * @property {string} [stdoutFile]
 */

/**
 * What running it took.
 *
 * @typedef {object} Measurement
 * @property {number} wallSeconds from the start of the process to its end
 * @property {number} cpuSeconds user and system, of the process and of all that it started and waited for
 * @property {number} peakRssMib the most that one process of that tree held
 * @property {string} stdout
 */

/**
 * Runs a command as a whole process under GNU time, which reads the kernel's own accounts (`wait4`): nothing is
 * sampled, and a process between us and the command keeps our own memory out of its peak, which the kernel would
 * otherwise hand on through `exec`. Wall time is ours, by a clock finer than GNU time's hundredths.
 *
 * @param {Command} command
 * @param {string} scratch a directory for what time says
 * @returns {Promise<Measurement>}
 */
export async function measure(command, scratch) {
  if (!existsSync(gnuTime)) throw new Error(`${gnuTime} is not there: on Debian, apt-get install time.`)
  const report = join(scratch, `time-${process.pid}`)
  const timed = [gnuTime, '--quiet', '-f', '%U %S %M', '-o', report, ...command.argv]
  try {
    const { stdout, wallSeconds } = await run({ ...command, argv: timed })
    const [user, system, peakKib] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
    if (user === undefined || system === undefined || peakKib === undefined) {
      throw new Error(`${gnuTime} wrote something unknown.`)
    }
    return { wallSeconds, cpuSeconds: user + system, peakRssMib: peakKib / 1024, stdout }
  } finally {
    rmSync(report, { force: true })
  }
}

/**
 * Runs a command without measuring more than its time. Rejects with the end of what it said where it fails.
 *
 * @param {Command} command
 */
export async function run({ argv, env, stdinFile, stdoutFile, cwd }) {
  const [program = '', ...args] = argv
  const stdin = stdinFile === undefined ? /** @type {const} */ ('ignore') : openSync(stdinFile, 'r')
  const stdoutTo = stdoutFile === undefined ? /** @type {const} */ ('pipe') : openSync(stdoutFile, 'w')
  try {
    if (ending) throw new CommandFailed('The benchmark was told to stop.')
    const started = performance.now()
    const child = spawn(program, args, {
      cwd,
      // A group of its own: a signal to it reaches what GNU time and others have started.
      detached: true,
      env: { ...process.env, ...env },
      stdio: [stdin, stdoutTo, 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-2_000)))
    let ended = started
    child.on('exit', () => (ended = performance.now()))
    running.add(child)
    const [code, signal] = await once(child, 'close').finally(() => running.delete(child))
    if (code !== 0) {
      const how = signal === null ? `exit code ${code}` : signal
      throw new CommandFailed(`${shown(argv)}: ${how}\n${lastWords(stderr) || lastWords(stdout)}`)
    }
    return { stdout, wallSeconds: (ended - started) / 1000 }
  } finally {
    for (const file of [stdin, stdoutTo]) if (typeof file === 'number') closeSync(file)
  }
}

/**
 * The end of what a program said: a traceback has its reason there.
 *
 * @param {string} text
 */
function lastWords(text) {
  return text.trim().split('\n').slice(-3).join('\n').slice(-1_000)
}

/** Ends what runs and starts nothing more: for when the benchmark itself is told to stop. */
export function endAll() {
  ending = true
  for (const { pid } of running) {
    if (pid !== undefined) process.kill(-pid, 'SIGTERM')
  }
}

/** A command that did not succeed. */
export class CommandFailed extends Error {}

/** @param {readonly string[]} argv */
function shown(argv) {
  const from = argv[0] === gnuTime ? 6 : 0
  // Whoever reads a log needs no tokens in it.
  return argv
    .slice(from)
    .map((argument) => argument.replace(/^(--token=).*/, '$1***'))
    .join(' ')
}
