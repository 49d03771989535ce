import type { Readable } from 'node:stream'

/** A stream that text goes to. */
export interface TextSink {
  write(text: string): unknown
  /** Resolves when all that was written has been taken; rejects when some of it was not. @default it is taken at once */
  flush?(): Promise<void>
  /** Whether what is written goes nowhere, since the process was started without this stream. @default false */
  isDiscarded?(): boolean
  readonly isTTY?: boolean
  /** The width of the terminal. */
  readonly columns?: number
}

/** What a run of the command may touch: `process` itself, or what a program or test hands over. */
export interface CliIo {
  readonly stdin: Readable
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends the operation, which removes what it wrote. Its reason may be a {@link SignalAbort}. */
  readonly signal?: AbortSignal
  /** Milliseconds on a clock that never goes back. @default performance.now */
  readonly nowMs?: () => number
}

/** The width of a sink in characters; `otherwise` where it has none, or says 0, as a terminal without a size does. */
export function widthOf({ columns }: TextSink, otherwise: number): number {
  return columns !== undefined && columns > 0 ? columns : otherwise
}
