import type { ConformanceRunner } from '../src/index.js'

/** What became of one test: its error, where it failed. */
export interface CollectedResult {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly error?: unknown
}

interface CollectedTest {
  readonly name: string
  readonly body: (() => Promise<void>) | undefined
}

/** A test runner that keeps what is registered, and runs it on demand, one test after another. */
export class Collector implements ConformanceRunner {
  readonly #tests: CollectedTest[] = []

  readonly describe = (_name: string, body: () => void): void => {
    body()
  }

  readonly it = Object.assign(
    (name: string, body: () => Promise<void>): void => {
      this.#tests.push({ name, body })
    },
    {
      skip: (name: string): void => {
        this.#tests.push({ name, body: undefined })
      },
    },
  )

  /** The names of all tests, in the order in which they were registered. */
  get names(): readonly string[] {
    return this.#tests.map(({ name }) => name)
  }

  /** Runs the tests of these names; without names all of them. */
  async run(names?: readonly string[]): Promise<CollectedResult[]> {
    const results: CollectedResult[] = []
    for (const test of this.#tests) if (names?.includes(test.name) ?? true) results.push(await runOne(test))
    return results
  }
}

async function runOne({ name, body }: CollectedTest): Promise<CollectedResult> {
  if (!body) return { name, outcome: 'skipped' }
  try {
    await body()
    return { name, outcome: 'passed' }
  } catch (error) {
    return { name, outcome: 'failed', error }
  }
}
