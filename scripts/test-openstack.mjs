#!/usr/bin/env node
// `npm run test:openstack`: the tests against Cinder's own drivers and against a real Swift and Keystone, which it brings
// up from Debian's packages in a temporary directory and takes down again, also on Ctrl-C.
//
//   npm run test:openstack                everything; the packages have to be there
//   npm run test:openstack -- --install   installs them first, as root (so does CI=true)
//   npm run test:openstack -- posix       only the test files whose path has this in it
//
// With STOWAGE_OPENSTACK=/path/to/env.json it uses the lab that is running there.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { down, up } from '../test-fixtures/openstack/lab.mjs'
import {
  installLine,
  installScript,
  missingRequirements,
} from '../test-fixtures/openstack/lib/requirements.mjs'
import { Report } from './lib/report.mjs'
import { StepFailed } from './lib/run.mjs'
import { runTests } from './lib/tests.mjs'
import { build, install } from './lib/workspace.mjs'

const args = process.argv.slice(2)
const filters = args.filter((arg) => arg !== '--install')
const asRoot = process.getuid?.() === 0
const report = new Report()

await report.finish('npm run test:openstack', async () => {
  await report.section("Debian's packages", requirePackages)
  await report.section('Install', install)
  await report.section('Build', build)
  const lab = await report.section('A Swift and a Keystone', openLab)
  try {
    await report.section('Tests', () =>
      runTests(report, ['-c', 'test-fixtures/vitest.interop.config.ts', ...filters], lab.env),
    )
  } finally {
    await lab.close()
  }
})

function requirePackages() {
  const wanted = args.includes('--install') || process.env.CI === 'true'
  if (missingRequirements().length > 0 && wanted && asRoot) {
    execFileSync('bash', [installScript], { stdio: 'inherit' })
  }
  const missing = missingRequirements()
  if (missing.length === 0) return
  const how = `On Debian 12, as root:\n  ${installLine()}\nor run this as root with --install.`
  throw new StepFailed(`This machine lacks ${missing.join(', ')}.\n${how}`)
}

async function openLab() {
  const root = asRoot ? { STOWAGE_TEST_ROOT: '1' } : {}
  const running = process.env.STOWAGE_OPENSTACK
  if (running) {
    console.log(`    the one of ${running}`)
    return { env: root, close: () => Promise.resolve() }
  }
  const directory = mkdtempSync(join(tmpdir(), 'stowage-openstack-'))
  const close = async () => {
    await down(directory)
    rmSync(directory, { recursive: true, force: true })
  }
  closeOnSignal(close)
  try {
    const file = await up(directory)
    console.log(`    up in ${directory}`)
    return { env: { ...root, STOWAGE_OPENSTACK: file }, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A terminal sends Ctrl-C to vitest too, which ends by itself; the lab's servers are in groups of their own. */
function closeOnSignal(close) {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.once(signal, () => {
      console.error(`\n${signal}: taking the lab down`)
      void close().finally(() => process.exit(code))
    })
  }
}
