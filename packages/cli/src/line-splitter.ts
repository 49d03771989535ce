/** Longer lines are passed on in parts. */
const maxLineLength = 4096

/** Splits text that comes in pieces into lines. A carriage return ends a line too: progress bars redraw with it. */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  add(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]+/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#pass(line)
    while (this.#rest.length > maxLineLength) {
      this.#pass(this.#rest.slice(0, maxLineLength))
      this.#rest = this.#rest.slice(maxLineLength)
    }
  }

  /** Passes on the rest after the last line end. */
  end(): void {
    this.#pass(this.#rest)
    this.#rest = ''
  }

  #pass(line: string): void {
    if (line !== '') this.#onLine(line)
  }
}
