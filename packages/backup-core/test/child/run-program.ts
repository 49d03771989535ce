import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

/** How a program ended. */
export interface ProgramResult {
  /** 13 is what Node.js ends with when the event loop has nothing left to do and the program's promise is not settled. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program of this folder on the sources, in a process of its own: there a promise that never settles ends the
 * process with exit code 13, where in the test runner's process it would only be waited for.
 */
export async function runProgram(name: string, args: readonly string[] = []): Promise<ProgramResult> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-program-'))
  try {
    await build({
      entry: { program: fileURLToPath(new URL(`${name}.ts`, import.meta.url)) },
      format: 'esm',
      target: 'node20',
      outDir: folder,
      outExtension: () => ({ js: '.mjs' }),
      tsconfig: fileURLToPath(new URL('../../../../tsconfig.json', import.meta.url)),
      noExternal: [/^@stowage\//],
      config: false,
      silent: true,
    })
    return await new Promise((resolve, reject) => {
      const options = { maxBuffer: 64 * 1024 * 1024 }
      execFile(process.execPath, [join(folder, 'program.mjs'), ...args], options, (error, stdout, stderr) => {
        const code: unknown = error === null ? 0 : error.code
        if (typeof code === 'number') resolve({ exitCode: code, stdout, stderr })
        else reject(error ?? new Error('The program ended without an exit code.'))
      })
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
