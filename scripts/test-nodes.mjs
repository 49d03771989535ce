#!/usr/bin/env node
// `npm run test:nodes`: the tests of `npm test` on the other releases of Node.js that are supported, each from npm's
// package `node`, in a temporary directory.
//
//   npm run test:nodes                       the oldest release, and the newest of each line
//   npm run test:nodes -- 24                 one of them
//   npm run test:nodes -- 24 backup-posix    only the test files whose path has this in it
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Report } from './lib/report.mjs'
import { capture, npm, root } from './lib/run.mjs'
import { runTests } from './lib/tests.mjs'
import { build, install } from './lib/workspace.mjs'

/** The floor of `engines`, and the lines that docs/support.md names. */
const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const oldest = engines.node.replace(/^>=/, '')
const supported = [oldest, '22', '24']

const args = process.argv.slice(2)
const named = args.filter((arg) => /^\d+(\.\d+)*$/.test(arg))
const filters = args.filter((arg) => !named.includes(arg))
const report = new Report()

await report.finish('npm run test:nodes', async () => {
  await report.section('Install', install)
  await report.section('Build', build)
  for (const version of named.length > 0 ? named : supported) {
    const directory = mkdtempSync(join(tmpdir(), 'stowage-node-'))
    try {
      const bin = await report.section(`Node.js ${version}`, () => installNode(version, directory))
      const PATH = `${bin}${delimiter}${process.env.PATH ?? ''}`
      await report.section(`Tests on Node.js ${version}`, () => runTests(report, filters, { PATH }))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
})

/** @returns the directory of the program */
async function installNode(version, directory) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  await capture(npm, ['install', ...quiet, '--prefix', directory, `node@${version}`], { cwd: directory })
  const bin = join(directory, 'node_modules', 'node', 'bin')
  const said = await capture(join(bin, 'node'), ['--version'])
  console.log(`    ${said.trim()}`)
  return bin
}
