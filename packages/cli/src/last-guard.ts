import { writeSync } from 'node:fs'
import { exitCodes } from './exit-codes.js'
import { errorJson, errorText } from './output/errors.js'

/** Reports a process that ends before its operation. */
export interface LastGuard {
  /** The operation has ended and reported its outcome. */
  release(): void
}

/**
 * Reports every premature end of the process. Node.js ends silently when the event loop is empty, even while `main` is
 * still awaited. Uncaught errors are reported like all others.
 */
export function guardProcess(asJson: boolean): LastGuard {
  let isReleased = false
  const say = (code: string, message: string, hint: string): void => {
    const report = { code, message, hint, exitCode: exitCodes.failed }
    try {
      // Asynchronous writes are lost when the process exits.
      writeSync(2, asJson ? errorJson(report) : errorText(report))
    } catch {
      // Without a stderr the exit code must do.
    }
  }
  process.on('exit', () => {
    if (isReleased) return
    process.exitCode = exitCodes.failed
    say(
      'UNSETTLED',
      'Internal error: the event loop is empty, but the operation has not ended. What it wrote may be incomplete.',
      reportHint,
    )
  })
  process.on('uncaughtException', (error: unknown) => {
    isReleased = true
    say('UNEXPECTED', `Internal error: ${error instanceof Error ? error.message : String(error)}`, reportHint)
    if (process.env['STOWAGE_DEBUG'] === '1' && error instanceof Error) console.error(error)
    // The state of the operation is unknown.
    process.exit(exitCodes.failed)
  })
  return {
    release: () => {
      isReleased = true
    },
  }
}

const reportHint =
  'This is a fault of Stowage: please report it, with the output of the same command under STOWAGE_DEBUG=1.'
