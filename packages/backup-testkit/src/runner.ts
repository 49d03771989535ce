/** The `it` of a test runner. A runner without `skip` gets no test of what is not declared. */
export interface ConformanceIt {
  (name: string, body: () => Promise<void>): unknown
  readonly skip?: (name: string, body: () => Promise<void>) => unknown
}

/** The functions of a test runner that a suite needs: those of vitest, `node:test`, mocha and jest fit. */
export interface ConformanceRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: ConformanceIt
}
