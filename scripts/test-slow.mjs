#!/usr/bin/env node
// `npm run test:slow`: the tests that take minutes: the suite of compressors on bz2, on further levels, on chunks of 50 MiB and on
// the slowest engine, the proof that it fails some sixty broken ones, the suite of backends with fsync and on Swift's stand-in,
// lasting faults at each of its requests, every memory limit, large chunks and many objects, every interleaving of a delete and
// a commit, 4,000 schedules of concurrent deletes, every flipped bit of a bzip2 stream, and 12,000 restores with a flipped bit in
// `_metadata` or `_sha256file`.
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
