import type { ConformanceRunner } from '../../src/index.js'

/** One test that a suite registered. */
export interface RecordedTest {
  /** The name of the part of the suite that it is in. */
  readonly part: string
  /** Its own name, behind those of the parts that it is in. */
  readonly name: string
  /** Undefined for a test that is skipped. */
  readonly body: (() => Promise<void>) | undefined
}

/** The tests that `register` registers, none of them run. */
export function recordedTests(register: (runner: ConformanceRunner) => void): readonly RecordedTest[] {
  const path: string[] = []
  const tests: RecordedTest[] = []
  const add = (name: string, body: RecordedTest['body']): void => {
    // Without the name of the whole suite, which is the same for all tests.
    const [, part = ''] = path
    tests.push({ part, name: [...path.slice(1), name].join(' '), body })
  }
  register({
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it: Object.assign(
      (name: string, body: () => Promise<void>) => {
        add(name, body)
      },
      {
        skip: (name: string) => {
          add(name, undefined)
        },
      },
    ),
  })
  return tests
}

/** Runs tests one after another, and gives the names of those that failed. */
export async function failuresOf(tests: readonly RecordedTest[]): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, body } of tests) {
    try {
      await body?.()
    } catch {
      failed.push(name)
    }
  }
  return failed
}
