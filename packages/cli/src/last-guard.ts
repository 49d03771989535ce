import { writeSync } from 'node:fs'
import { exitCodes } from './exit-codes.js'
import { errorJson, errorText } from './output/errors.js'

/** What ends a process whose operation did not. */
export interface LastGuard {
  /** The operation has ended, and has said how. */
  release(): void
}

/**
 * Lets no process end in silence. Node.js ends one that has nothing left to do, whatever is still awaited, and says nothing
 * with a `main` that never settles. Errors that nothing caught are put into the same words as any other.
 */
export function guardProcess(asJson: boolean): LastGuard {
  let isReleased = false
  const say = (code: string, message: string, hint: string): void => {
    const report = { code, message, hint, exitCode: exitCodes.failed }
    try {
      // Nothing asynchronous is written any more.
      writeSync(2, asJson ? errorJson(report) : errorText(report))
    } catch {
      // No stderr to say it on: the exit code remains.
    }
  }
  process.on('exit', () => {
    if (isReleased) return
    process.exitCode = exitCodes.failed
    say(
      'UNSETTLED',
      'Internal error: nothing is left to do, but the operation has not ended. What it wrote may be incomplete.',
      reportHint,
    )
  })
  process.on('uncaughtException', (error: unknown) => {
    isReleased = true
    say('UNEXPECTED', `Internal error: ${error instanceof Error ? error.message : String(error)}`, reportHint)
    if (process.env['STOWAGE_DEBUG'] === '1' && error instanceof Error) console.error(error)
    // Whatever the operation was doing, nothing is known of its state.
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
