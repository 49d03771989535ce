import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CompressorProgram, ProgramFormat } from './types.js'

/** How a program ended. */
export interface ProgramOutcome {
  /** Its exit code; null where it was killed. */
  readonly code: number | null
  /** The signal that killed it: `SIGKILL` after the time-out. */
  readonly signal: string | null
  readonly output: string
  readonly errors: string
}

const defaultTimeoutMs = 20_000

/**
 * Runs a program in a child process, in the same working directory. Its globals are `create`, which makes a
 * compressor, and `bytes`, about 1.6 MB of text.
 */
export function runProgram(
  program: CompressorProgram,
  format: ProgramFormat,
  body: string,
): Promise<ProgramOutcome> {
  const { timeoutMs = defaultTimeoutMs } = program
  const args = [`--input-type=${format}`, '--eval', `${prelude(program, format)}\n${body}`]
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { timeout: timeoutMs, killSignal: 'SIGKILL' },
      (_error, output, errors) => {
        resolve({ code: child.exitCode, signal: child.signalCode, output, errors })
      },
    )
  })
}

/** Loads the module, whose exports the expression may use. */
function prelude({ module, create }: CompressorProgram, format: ProgramFormat): string {
  const path = format === 'commonjs' && module.startsWith('file:') ? fileURLToPath(module) : module
  const load =
    format === 'module'
      ? `import * as loaded from ${JSON.stringify(path)}`
      : `const loaded = require(${JSON.stringify(path)})`
  return `${load}
    const names = Object.keys(loaded).filter((name) => /^[A-Za-z_$][\\w$]*$/.test(name) && name !== 'default')
    const make = new Function(...names, ${JSON.stringify(`return (${create})`)})
    const create = async () => make(...names.map((name) => loaded[name]))
    const bytes = Buffer.from(Array.from({ length: 120_000 }, (_, line) => 'line ' + line * 7).join('; '))`
}
