import { execFileSync, spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'

/** Whether this machine has the program that sets limits of a process that runs (util-linux). */
export const canLimitFileSize: boolean = spawnSync('prlimit', ['--version']).status === 0

const ignore = (): void => undefined

/**
 * Limits the size of files of this very process, until the test ends or the limit is lifted: the kernel takes what fits,
 * and refuses the rest at the next call.
 *
 * @returns lifts the limit
 */
export function limitFileSize(bytes: number): () => void {
  // Node.js ignores this signal from its start. A listener that was taken off again leaves the default action instead,
  // which ends the process; this one stays, for the tests that run in the process later.
  if (!process.listeners('SIGXFSZ').includes(ignore)) process.on('SIGXFSZ', ignore)
  const set = (limit: string): void => {
    execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${limit}:`])
  }
  const lift = (): void => {
    set('unlimited')
  }
  onTestFinished(lift)
  set(String(bytes))
  return lift
}
