import type { CliIo } from '../io.js'
import type { Output } from './output.js'

/**
 * Says that the result goes nowhere, where stdout is closed. No error: a program that discards the output and wants the
 * exit code alone, as Python's DEVNULL and Node's `ignore` do, looks the same.
 */
export function noteDiscarded(output: Output, { stdout }: CliIo): void {
  if (stdout.isDiscarded?.() !== true) return
  output.note('stdout is closed or discarded: what this command prints is lost')
}
