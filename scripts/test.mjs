#!/usr/bin/env node
// `npm test`: all that a change has to pass, on any machine with Node and npm. A fresh clone needs nothing else.
//
//   npm test                  everything
//   npm test -- backup-posix  the same, with only the test files whose path has this in it
import { checkPackages } from './check-packages.mjs'
import { Report } from './lib/report.mjs'
import { capture } from './lib/run.mjs'
import { runTests } from './lib/tests.mjs'
import { build, install } from './lib/workspace.mjs'

const report = new Report()

await report.finish('npm test', async () => {
  await report.section('Install', install)
  await report.section('Build', build)
  await report.section('Types, lint, format', staticChecks)
  await report.section('Tests', () => runTests(report, process.argv.slice(2)))
  await report.section('Packages, as they would be published', checkPackages)
})

/** Side by side, since each keeps one core busy; the first failure is the one reported. */
async function staticChecks() {
  await Promise.all([
    capture('tsc', ['--noEmit', '-p', 'tsconfig.json']),
    capture('eslint', ['.']).then(() => capture('prettier', ['--check', '.'])),
  ])
}
