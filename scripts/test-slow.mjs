#!/usr/bin/env node
// `npm run test:slow`: the tests that take minutes and show little that `npm test` does not: the suite of compressors on
// further levels and on the slowest engine, the proof that it fails some sixty broken ones, and 12,000 restores with a
// flipped bit in `_metadata` or `_sha256file`.
import { Report } from './lib/report.mjs'
import { runTests } from './lib/tests.mjs'
import { build, install } from './lib/workspace.mjs'

const report = new Report()

await report.finish('npm run test:slow', async () => {
  await report.section('Install', install)
  await report.section('Build', build)
  await report.section('Tests', () =>
    runTests(report, ['-c', 'vitest.slow.config.ts', ...process.argv.slice(2)]),
  )
})
