import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { show, StepFailed } from './run.mjs'

/** Runs vitest and counts what it ran; throws when something failed, after counting. */
export async function runTests(report, args, env = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'stowage-tests-'))
  const file = join(directory, 'results.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  try {
    const failure = await show('vitest', ['run', ...args, ...reporters], { env }).then(
      () => undefined,
      (error) => error,
    )
    const results = readResults(file)
    // A file that does not load has no tests that could fail.
    const broken = results.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && noneFailed(assertionResults),
    )
    report.count({ passed: results.numPassedTests, failed: results.numFailedTests + broken.length })
    if (results.numPendingTests > 0) console.log(`    ${results.numPendingTests} skipped`)
    for (const line of failures(results)) console.log(line)
    if (failure) throw new StepFailed('Tests failed; the ones above say which.', { cause: failure })
    if (results.numPassedTests === 0) throw new StepFailed('No test ran.')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One line for each test that failed, and for each file that did not load; `.ci/run` repeats them as its last words. */
function failures({ testResults }) {
  return testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const file = relative(process.cwd(), name)
      if (noneFailed(assertionResults)) return [`FAILED ${file}: ${firstLine(message)}`]
      return assertionResults
        .filter(({ status }) => status === 'failed')
        .map((test) => `FAILED ${file}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`)
    })
}

const firstLine = (text = '') => text.split('\n', 1)[0]

const noneFailed = (assertions) => assertions.every(({ status }) => status !== 'failed')

function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new StepFailed('vitest ended before it could report; what it said is above.', { cause: error })
  }
}
