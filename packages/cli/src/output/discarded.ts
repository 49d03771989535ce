import type { CliIo } from '../io.js'
import type { Output } from './output.js'

/**
 * Warns that the result is discarded, where stdout is closed. Not an error: a program that wants only the exit code
 * (Python's DEVNULL, Node's `ignore`) looks the same.
 */
export function noteDiscarded(output: Output, { stdout }: CliIo): void {
  if (stdout.isDiscarded?.() !== true) return
  output.note('stdout is closed or discarded: what this command prints is lost')
}
