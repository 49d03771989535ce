import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endAll } from './measured-process.mjs'

/**
 * A directory for volumes, stores and targets: the one named, which is kept, or a new one, which is removed in the end.
 *
 * @param {string | undefined} directory
 */
export function openWorkplace(directory) {
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true })
    return { path: resolve(directory), remove: () => undefined }
  }
  const path = mkdtempSync(join(tmpdir(), 'stowage-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * Closes things in the opposite order of opening, also on Ctrl-C, and in any case only once.
 */
export class Closing {
  /** @type {(() => unknown)[]} */
  #steps = []

  constructor() {
    for (const [signal, code] of /** @type {const} */ ([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ])) {
      process.once(signal, () => {
        console.error(`\n${signal}: cleaning up`)
        endAll()
        void this.close().finally(() => process.exit(code))
      })
    }
  }

  /** @param {() => unknown} step */
  add(step) {
    this.#steps.push(step)
  }

  async close() {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        console.error(`bench: while cleaning up: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
}

/**
 * Runs a benchmark: an error becomes a line and exit code 1, and what was opened is closed whatever happens.
 *
 * @param {Closing} closing
 * @param {() => Promise<number | void>} main
 */
export async function runAndClose(closing, main) {
  try {
    const code = await main()
    if (typeof code === 'number') process.exitCode = code
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  } finally {
    await closing.close()
  }
}
