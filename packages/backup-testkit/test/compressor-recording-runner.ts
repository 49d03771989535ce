import type { TestRunner } from '../src/compressor/index.js'

/** Runs the tests that `register` registers, one after another, and gives the names of those that failed. */
export async function failuresOf(register: (runner: TestRunner) => void): Promise<readonly string[]> {
  const path: string[] = []
  const tests: [name: string, body: () => Promise<void>][] = []
  register({
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it(name, body) {
      // Without the name of the whole suite, which says nothing about the test.
      tests.push([[...path.slice(1), name].join(' '), body])
    },
  })
  const failed: string[] = []
  for (const [name, body] of tests) {
    try {
      await body()
    } catch {
      failed.push(name)
    }
  }
  return failed
}
