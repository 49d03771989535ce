import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import { streamVolume } from '@stowage/backup-core'
import type { OpenSource, VolumeOpenOptions, VolumeSource } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'
import { LineSplitter } from './line-splitter.js'

/** How long a command may take to end after SIGTERM, before it gets SIGKILL. */
const killAfterMs = 5000

/** How long to wait for its last lines on stderr after it ended: a child of its own may keep stderr open. */
const lastLinesMs = 500

/** How to run the command of `--stdin-from-command`. */
export interface CommandSourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** How many bytes it must write; undefined for any number. */
  readonly sizeBytes: number | undefined
  /** Called with each line that it writes to stderr. */
  readonly onErrorLine: (line: string) => void
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** How a command ended. */
type Ending =
  | { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly startError: NodeJS.ErrnoException }

/**
 * A volume that consists of a command's stdout. The stream ends only when the command has ended with exit code 0, and
 * fails otherwise, so that the output of a command that failed never becomes a backup. No shell is involved.
 */
export function commandVolume(command: readonly string[], options: CommandSourceOptions): VolumeSource {
  return {
    async openSource(opening: VolumeOpenOptions = {}): Promise<OpenSource> {
      const running = new RunningCommand(command, options)
      const { sizeBytes } = options
      try {
        const volume = streamVolume(running.output(), sizeBytes === undefined ? {} : { sizeBytes })
        return endingWith(running, await volume.openSource(opening))
      } catch (error) {
        await running.stop()
        throw error
      }
    },
  }
}

/** The source, which ends the command when it is closed. */
function endingWith(running: RunningCommand, source: OpenSource): OpenSource {
  return {
    sizeBytes: source.sizeBytes,
    seekable: false,
    read: (into, offsetBytes, options) => source.read(into, offsetBytes, options),
    close: async () => {
      await running.stop()
      await source.close()
    },
  }
}

class RunningCommand {
  readonly #name: string
  readonly #child: Child
  readonly #ending: Promise<Ending>
  #hasEnded = false

  constructor([name = '', ...args]: readonly string[], { env, onErrorLine }: CommandSourceOptions) {
    this.#name = name
    this.#child = spawn(name, args, { stdio: ['inherit', 'pipe', 'pipe'], env: { ...env } })
    const lines = new LineSplitter(onErrorLine)
    const { stderr } = this.#child
    stderr.setEncoding('utf8').on('data', (text: string) => {
      lines.add(text)
    })
    // Closing a stream that is still being read is not a failure of the command.
    stderr.on('error', () => undefined)
    this.#ending = this.#watch(lines)
  }

  /** Yields the command's stdout until it ends with exit code 0. Throws `COMMAND_FAILED` for any other end. */
  async *output(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.#child.stdout) yield piece as Uint8Array
    } catch (error) {
      await this.#throwFailure()
      throw error
    }
    await this.#throwFailure()
  }

  async #throwFailure(): Promise<void> {
    const ending = await this.#ending
    if ('startError' in ending) throw notStarted(this.#name, ending.startError)
    if (ending.exitCode !== 0) throw failed(this.#name, ending)
  }

  /** Ends the command if it still runs, and waits until it has ended. */
  async stop(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGTERM')
    const killTimer = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs)
    // A command that is blocked in a write gets EPIPE.
    this.#child.stdout.destroy()
    await this.#ending
    clearTimeout(killTimer)
  }

  async #watch(lines: LineSplitter): Promise<Ending> {
    const child = this.#child
    const ending = await new Promise<Ending>((resolve) => {
      child.once('error', (startError) => {
        // A signal that could not be sent is an error event too, although the command runs.
        if (child.pid === undefined) resolve({ startError })
      })
      child.once('exit', (exitCode, signal) => {
        resolve({ exitCode, signal })
      })
    })
    this.#hasEnded = true
    if (!child.stderr.readableEnded && !('startError' in ending)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lastLinesMs)
        child.stderr.once('close', () => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    child.stderr.destroy()
    lines.end()
    // A child of a command that failed may keep stdout open: its output is not needed.
    if ('startError' in ending || ending.exitCode !== 0) child.stdout.destroy()
    return ending
  }
}

function notStarted(name: string, cause: NodeJS.ErrnoException): CliError {
  const why = cause.code === 'ENOENT' ? 'it does not exist, neither as a path nor in PATH' : cause.message
  return new CliError('COMMAND_FAILED', `Cannot run ${name}: ${why}. No backup was made.`, {
    exitCode: exitCodes.failed,
    hint: 'The command is run as it stands, without a shell. For a pipeline: --stdin-from-command -- sh -c "…".',
    cause,
  })
}

function failed(
  name: string,
  { exitCode, signal }: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null },
): CliError {
  const how =
    signal === null ? `ended with exit code ${String(exitCode)}, expected 0` : `was ended by ${signal}`
  return new CliError('COMMAND_FAILED', `The command ${name} ${how}. No backup was made.`, {
    exitCode: exitCodes.failed,
    hint: 'Its own messages are above. Run it by itself with its output to a file to see what is wrong.',
  })
}
