import type { Readable } from 'node:stream'

/** A stream for text. */
export interface TextSink {
  write(text: string): unknown
  /** Resolves when everything is flushed; rejects when a write failed. @default writes are synchronous */
  flush?(): Promise<void>
  /** Whether output is discarded, because the process was started without this stream. @default false */
  isDiscarded?(): boolean
  readonly isTTY?: boolean
  /** The width of the terminal. */
  readonly columns?: number
}

/** The streams and environment of a run: those of `process`, or what a program or test passes. */
export interface CliIo {
  readonly stdin: Readable
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts the operation, which then removes what it wrote. Its reason may be a {@link SignalAbort}. */
  readonly signal?: AbortSignal
  /** A monotonic clock, in milliseconds. @default performance.now */
  readonly nowMs?: () => number
}

/** The width of a sink in characters; `otherwise` where it is unknown or 0, as for a terminal without a size. */
export function widthOf({ columns }: TextSink, otherwise: number): number {
  return columns !== undefined && columns > 0 ? columns : otherwise
}
