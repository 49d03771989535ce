import { describe, expect, it } from 'vitest'
import { Collector } from './collector.js'
import { guideFiles, loadGuideSuite } from './guide.js'

/** Whole backups take many requests, and have a test each here; `npm run test:slow` runs all tests. */
const smoke = [
  /ABORTED|_MISSING|OBJECT_TOO_LARGE/,
  /^(putContainer|deleteObject|checkForSetupError|a listing has|a listing of the prefix)/,
  /^(the prefix|a prefix|updateContainerName|extra metadata)/,
  /^an exported record is imported by another driver, and restores$/,
]

describe('each file of docs/writing-a-backend.md', () => {
  it('is shown with all that it needs', async () => {
    const files = await guideFiles()
    for (const code of files.values()) {
      for (const [, name = ''] of code.matchAll(/^import .* from '(.*)'$/gm)) {
        const isShown = name.startsWith('./') && files.has(name.slice(2).replace(/\.js$/, '.ts'))
        const isPublic = name === '@stowage/backup-core' || name === '@stowage/backup-testkit'
        expect(isShown || isPublic || name.startsWith('node:'), name).toBe(true)
      }
    }
    expect([...files.keys()]).toContain('conformance.test.ts')
  })
})

describe('the backend of docs/writing-a-backend.md', () => {
  it('passes the conformance suite of the guide, as both stand there', async () => {
    const collector = new Collector()
    await loadGuideSuite(collector)
    const names = collector.names.filter((name) => smoke.some((pattern) => pattern.test(name)))
    const results = await collector.run(names.filter((name) => !name.includes('(skipped')))
    expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(results.length).toBeGreaterThan(30)
  })
})

describe('the package of docs/writing-a-backend.md', () => {
  it('is one that the command loads', async () => {
    const collector = new Collector()
    await loadGuideSuite(collector, 'stowage-backend.test.ts')
    expect(await collector.run(collector.names)).toMatchObject([{ outcome: 'passed' }])
  })
})

describe('the compressor of docs/writing-a-backend.md', () => {
  it('passes the conformance suite, as both stand there', async () => {
    const collector = new Collector()
    await loadGuideSuite(collector, 'brotli.test.ts')
    const refusals = collector.names.filter((name) => /OBJECT_CORRUPT|ABORTED|comes back/.test(name))
    const results = await collector.run(refusals.filter((name) => !name.includes('(skipped')))
    expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(results.length).toBeGreaterThan(20)
  })
})

describe('the volume of docs/writing-a-backend.md', () => {
  it('passes its test, as both stand there', async () => {
    const collector = new Collector()
    await loadGuideSuite(collector, 'page-volume.test.ts')
    expect(await collector.run(collector.names)).toMatchObject([{ outcome: 'passed' }])
  })
})
