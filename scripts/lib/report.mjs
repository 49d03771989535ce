/** Sections with headings and times, and the line of totals that a program can read. */
export class Report {
  #passed = 0
  #failed = 0
  #number = 0

  /** Runs one section. What it throws ends the report: see {@link Report.finish}. */
  async section(title, work) {
    this.#number += 1
    console.log(`\n=== ${this.#number}. ${title}`)
    const startedMs = performance.now()
    const result = await work()
    console.log(`    done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
    return result
  }

  /** Adds tests to the totals. */
  count({ passed, failed }) {
    this.#passed += passed
    this.#failed += failed
  }

  /** Runs all sections, says what stopped them, prints the totals of the tests last, and sets the exit code. */
  async finish(name, sections) {
    try {
      await sections()
    } catch (error) {
      // Anything that stopped us counts, even where no test did not pass.
      if (this.#failed === 0) this.#failed = 1
      console.error(`\n${error.message}`)
      console.error(`\n${name} stopped at section ${this.#number}.`)
      if (process.env.STOWAGE_DEBUG === '1') console.error(error.stack)
      process.exitCode = 1
    }
    if (this.#passed + this.#failed > 0) console.log(`\n${this.#passed} passed, ${this.#failed} failed`)
  }
}
