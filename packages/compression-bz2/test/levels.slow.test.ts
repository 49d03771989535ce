import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { bz2 } from '../src/index.js'

/** bzip2 takes its time, and more where other tests run beside. */
const timeoutMs = 120_000
const patiently = (name: string, body: () => Promise<void>): void => {
  it(name, { timeout: timeoutMs }, body)
}

compressorConformance({
  describe,
  it: patiently,
  label: 'bzip2, level 1',
  create: () => bz2({ word: 'bzip2', level: 1 }),
  keepOpen: true,
  streams: true,
  bombLengthBytes: 16 * 1024 * 1024,
  chunkSizeBytes: 8 * 1024 * 1024,
})
