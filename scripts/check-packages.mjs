#!/usr/bin/env node
// Looks at the packages as they would be published: their manifests, their tarballs, and what a user gets of them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { useInstalled } from './lib/consumer.mjs'
import { exportProblems } from './lib/exports.mjs'
import { followGuide } from './lib/guide.mjs'
import { manifestProblems } from './lib/manifests.mjs'
import { capture, StepFailed } from './lib/run.mjs'
import { installTarballs, pack } from './lib/tarballs.mjs'
import { packages } from './lib/workspace.mjs'

/** Throws with every problem that one check found. */
export async function checkPackages() {
  const all = packages()
  const problems = [...manifestProblems(all), ...all.flatMap(exportProblems)]
  if (problems.length > 0) throw new StepFailed(problems.join('\n'))
  console.log(
    `    ${all.length} manifests: exports (each in its README), versions, peers, licences, lock file`,
  )

  const scratch = mkdtempSync(join(tmpdir(), 'stowage-packages-'))
  try {
    const packed = await pack(all, join(scratch, 'tarballs'))
    await inParallel(packed, ({ tarball }) => capture('publint', [tarball, '--strict']))
    console.log('    publint')
    await inParallel(packed, ({ tarball }) => capture('attw', [tarball, '--profile', 'node16', '--no-color']))
    console.log('    attw: the types, for import and for require')
    const project = join(scratch, 'project')
    await installTarballs(packed, project)
    await useInstalled(packed, project)
    console.log('    installed from their tarballs, imported and required')
    await followGuide(project, 'putContainer|rejects with ABORTED|is imported by another driver')
    console.log('    docs/writing-a-backend.md: its backend, compiled and tested as it stands')
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Two at a time: each is a program of its own, and the machine may have two cores. */
async function inParallel(items, work) {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.shift(); item; item = rest.shift()) await work(item)
  }
  await Promise.all([worker(), worker()])
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await checkPackages()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
