import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const graceMs = 5_000

/** The processes of a lab, noted in a file as they start, so that another process can end them after any failure. */
export class Processes {
  #directory
  #file

  constructor(directory) {
    this.#directory = directory
    this.#file = join(directory, 'processes.jsonl')
  }

  /** Starts a server in a process group of its own; its output goes to `log/<name>.log`. */
  start(name, command, args) {
    this.#spawn({ name, server: true }, command, args).unref()
  }

  /** Runs a command to its end. Noted like a server: a lab that is killed meanwhile leaves no orphan. */
  async run(name, command, args) {
    const child = this.#spawn({ name, server: false }, command, args)
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${command} failed:\n${this.lastWords(name)}`)
  }

  #spawn(entry, command, args) {
    const log = openSync(this.logFile(entry.name), 'a')
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    child.on('error', () => undefined) // Without it, the missing number below would be an uncaught exception too.
    if (child.pid === undefined) throw new Error(`${command} does not start.`)
    const noted = { ...entry, pid: child.pid, startedAt: startTime(child.pid) }
    appendFileSync(this.#file, `${JSON.stringify(noted)}\n`)
    return child
  }

  /** The end of what a process has said. */
  lastWords(name) {
    const file = this.logFile(name)
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n') : ''
  }

  logFile(name) {
    return join(this.#directory, 'log', `${name}.log`)
  }

  /** What was started and runs still. */
  alive() {
    return this.#entries().filter(isAlive)
  }

  /** Servers that were started and have ended. */
  dead() {
    return this.#entries().filter((entry) => entry.server && !isAlive(entry))
  }

  /** Ends all of them, with all that they started, and forgets them. */
  async stop() {
    for (const entry of this.#entries().reverse()) signalGroup(entry, 'SIGTERM')
    const deadline = Date.now() + graceMs
    while (this.alive().length > 0 && Date.now() < deadline) await sleep(50)
    for (const entry of this.#entries()) signalGroup(entry, 'SIGKILL')
    rmSync(this.#file, { force: true })
  }

  #entries() {
    if (!existsSync(this.#file)) return []
    return readFileSync(this.#file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }
}

function signalGroup(entry, signal) {
  // A group outlives its leader, and keeps its number from being used again as long as a member lives. A number that
  // belongs to somebody else by now has another start time.
  const now = startTime(entry.pid)
  if (now !== undefined && now !== entry.startedAt) return
  try {
    process.kill(-entry.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function isAlive(entry) {
  return entry.startedAt !== undefined && startTime(entry.pid) === entry.startedAt
}

/** When a process started, in ticks since boot: with the number, it names the process for good. */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
