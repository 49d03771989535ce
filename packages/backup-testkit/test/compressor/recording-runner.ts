import type { TestRunner } from '../../src/compressor/index.js'

/** One test that a suite registered. */
export interface RecordedTest {
  /** The name of the part of the suite that it is in. */
  readonly part: string
  /** Its own name, behind those of the parts that it is in. */
  readonly name: string
  readonly body: () => Promise<void>
}

/** The tests that `register` registers, none of them run. */
export function recordedTests(register: (runner: TestRunner) => void): readonly RecordedTest[] {
  const path: string[] = []
  const tests: RecordedTest[] = []
  register({
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it(name, body) {
      // Without the name of the whole suite, which says nothing about the test.
      const [, part = ''] = path
      tests.push({ part, name: [...path.slice(1), name].join(' '), body })
    },
  })
  return tests
}

/** Runs tests one after another, and gives the names of those that failed. */
export async function failuresOf(tests: readonly RecordedTest[]): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, body } of tests) {
    try {
      await body()
    } catch {
      failed.push(name)
    }
  }
  return failed
}
