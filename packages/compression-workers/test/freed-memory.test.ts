import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }

/** Takes, fills and frees 32 MiB in small pieces, 20 times, and says how many fresh pages that took. */
const program = (packageUrl: string): string => `
  import { setTimeout as pause } from 'node:timers/promises'
  import { keepFreedMemory } from ${JSON.stringify(packageUrl)}
  keepFreedMemory(32 * 1024 * 1024)
  const pieces = () => Array.from({ length: 128 }, () => Buffer.allocUnsafeSlow(256 * 1024).fill(1)).length
  const collect = async () => {
    globalThis.gc()
    await pause(5)
  }
  pieces()
  await collect()
  const before = process.resourceUsage().minorPageFault
  for (let time = 0; time < 20; time++) {
    pieces()
    await collect()
  }
  console.log(process.resourceUsage().minorPageFault - before)
`

it.runIf(header.glibcVersionRuntime !== undefined)(
  'memory of small pieces that was freed is used again, and not taken afresh from the kernel',
  () => {
    const built = new URL('../dist/index.js', import.meta.url).href
    const args = ['--expose-gc', '--input-type=module', '-e', program(built)]
    const freshPages = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    // Where glibc hands all of it back, it is 163,840 pages of 4 KiB.
    expect(freshPages).toBeLessThan(16_384)
  },
)
