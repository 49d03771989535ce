import { fstatSync, readFileSync } from 'node:fs'
import type { TextSink } from './io.js'

/** `process.stdout` or `process.stderr`, with the first write error. */
export class StandardStream implements TextSink {
  readonly #stream: NodeJS.WriteStream & { readonly fd: number }
  #failure: Error | undefined
  #pending = 0
  #idle: (() => void) | undefined

  constructor(stream: NodeJS.WriteStream & { readonly fd: number }) {
    this.#stream = stream
    // Without a listener the process ends with a stack trace.
    stream.on('error', (error) => {
      this.#failure ??= error
    })
  }

  get isTTY(): boolean {
    return this.#stream.isTTY
  }

  get columns(): number {
    return this.#stream.columns
  }

  write(text: string): void {
    this.#pending += 1
    this.#stream.write(text, (error) => {
      if (error) this.#failure ??= error
      this.#pending -= 1
      if (this.#pending === 0) this.#idle?.()
    })
  }

  async flush(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    if (this.#failure) throw this.#failure
  }

  /**
   * Node.js opens `/dev/null` for reading and writing in the place of a standard stream that is closed (`>&-`), before any
   * JavaScript runs. A shell's `> /dev/null` is open for writing alone. A parent program that discards the output may
   * look like a closed stream.
   */
  isDiscarded(): boolean {
    try {
      const { fd } = this.#stream
      const stats = fstatSync(fd)
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'utf8'))?.[1]
      return (
        stats.isCharacterDevice() && stats.rdev === nullDevice && (Number.parseInt(flags ?? '0', 8) & 3) === 2
      )
    } catch {
      // Not Linux.
      return false
    }
  }
}

/** `/dev/null` on Linux: major 1, minor 3. */
const nullDevice = 0x103
