#!/usr/bin/env node
// `npm test`: what a change has to pass before each commit, on any machine with Node and npm, in at most four minutes on two
// cores. A fresh clone needs nothing else.
//
//   npm test                  everything
//   npm test -- backup-posix  the same, with only the test files whose path has this in it
import { exportProblems } from './lib/exports.mjs'
import { manifestProblems } from './lib/manifests.mjs'
import { Report } from './lib/report.mjs'
import { capture, StepFailed } from './lib/run.mjs'
import { runTests } from './lib/tests.mjs'
import { build, install, packages } from './lib/workspace.mjs'

const report = new Report()

await report.finish('npm test', async () => {
  await report.section('Install', install)
  await report.section('Manifests, and the exports in READMEs', checkManifests)
  await report.section('Lint, types, build, format', checkAndBuild)
  await report.section('Tests', () => runTests(report, process.argv.slice(2)))
})

function checkManifests() {
  const all = packages()
  const problems = [...manifestProblems(all), ...all.flatMap(exportProblems)]
  if (problems.length > 0) throw new StepFailed(problems.join('\n'))
}

/** Two chains of about equal length, since a command keeps one core busy. The first failure stops the other chain. */
async function checkAndBuild() {
  const stop = new AbortController()
  const run = async (command, ...args) => {
    await capture(command, args, { signal: stop.signal })
    console.log(`    ${command}`)
  }
  try {
    await Promise.all([
      run('eslint', '.'),
      run('tsc', '--noEmit', '-p', 'tsconfig.json')
        .then(() => build({ signal: stop.signal }))
        .then(() => run('prettier', '--check', '.')),
    ])
  } finally {
    stop.abort()
  }
}
