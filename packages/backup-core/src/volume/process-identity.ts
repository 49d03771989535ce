import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** Which process it is, well enough for another one to find out whether it still runs. */
export interface ProcessIdentity {
  readonly host: string
  /** The machine's own id; empty where it has none. */
  readonly machine: string
  readonly pid: number
  /** The boot of the machine and the namespace of the process id; empty where the system does not say. */
  readonly pidScope: string
  /** When the process started, in the kernel's ticks, since ids are used again; empty where the system does not say. */
  readonly started: string
}

/** Whether another process still runs; `unknown` where it is on another machine, or out of sight. */
export type ProcessState = 'alive' | 'dead' | 'unknown'

/** The identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    host: hostname(),
    machine: (await textOf('/etc/machine-id')).trim(),
    pid: process.pid,
    pidScope: `${await bootId()} ${await pidNamespace()}`.trim(),
    started: await startTicks(process.pid),
  }
}

/** Finds out whether a process still runs. */
export async function stateOf(other: ProcessIdentity): Promise<ProcessState> {
  const own = await ownIdentity()
  if (other.host !== own.host || other.machine !== own.machine) return 'unknown'
  if (other.pidScope !== own.pidScope) {
    // Whatever ran before this very machine was started again is gone; in another container it is out of sight.
    const isSameBoot = other.pidScope.split(' ')[0] === own.pidScope.split(' ')[0]
    return own.machine === '' || isSameBoot ? 'unknown' : 'dead'
  }
  if (!runs(other.pid)) return 'dead'
  const started = await startTicks(other.pid)
  return started !== '' && other.started !== '' && started !== other.started ? 'dead' : 'alive'
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function bootId(): Promise<string> {
  return (await textOf('/proc/sys/kernel/random/boot_id')).trim()
}

async function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '')
}

/** Field 22 of `/proc/PID/stat`; the second one is the name of the program, which may hold anything. */
async function startTicks(pid: number): Promise<string> {
  const text = await textOf(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
