#!/usr/bin/env node
// `npm run check:packages`: checks the packages as they would be published: their types, their tarballs, and what a user
// gets of them. Their manifests and the lists of exports in their READMEs are checked by `npm test`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useInstalled } from './lib/consumer.mjs'
import { followGuide } from './lib/guide.mjs'
import { buildProblems } from './lib/manifests.mjs'
import { Report } from './lib/report.mjs'
import { capture, StepFailed } from './lib/run.mjs'
import { installTarballs, pack } from './lib/tarballs.mjs'
import { build, install, packages } from './lib/workspace.mjs'

const report = new Report()
const scratch = mkdtempSync(join(tmpdir(), 'stowage-packages-'))

try {
  await report.finish('npm run check:packages', async () => {
    await report.section('Install', install)
    await report.section('Build, with type declarations', () => build({ types: true }))
    const packed = await report.section('Tarballs', packTarballs)
    await report.section('Packages by publint', () =>
      inParallel(packed, ({ tarball }) => capture('publint', [tarball, '--strict'])),
    )
    await report.section('Types by attw, for import and for require', () =>
      inParallel(packed, ({ tarball }) => capture('attw', [tarball, '--profile', 'node16', '--no-color'])),
    )
    const project = join(scratch, 'project')
    await report.section('A project that installs the tarballs, imports and requires them', async () => {
      await installTarballs(packed, project)
      await useInstalled(packed, project)
    })
    await report.section(
      'The backend of docs/writing-a-backend.md in it, compiled and tested as it stands',
      () => followGuide(project, 'putContainer|rejects with ABORTED|is imported by another driver'),
    )
  })
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function packTarballs() {
  const all = packages()
  const problems = all.flatMap(buildProblems)
  if (problems.length > 0) throw new StepFailed(problems.join('\n'))
  return pack(all, join(scratch, 'tarballs'))
}

/** Two at a time: each is a program of its own, and the machine may have two cores. */
async function inParallel(items, work) {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.shift(); item; item = rest.shift()) await work(item)
  }
  await Promise.all([worker(), worker()])
}
