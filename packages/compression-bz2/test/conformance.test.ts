import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { bz2 } from '../src/index.js'
import { bombs, otherStreams as golden } from './golden.js'

/** bzip2 takes its time, and more where other tests run beside. */
const timeoutMs = 120_000
const patiently = (name: string, body: () => Promise<void>): void => {
  it(name, { timeout: timeoutMs }, body)
}

compressorConformance({
  describe,
  it: patiently,
  label: 'bz2',
  create: () => bz2(),
  keepOpen: true,
  golden,
  streams: true,
  bombs,
  // Each MiB is three passes of a tenth of a second.
  chunkSizeBytes: 16 * 1024 * 1024,
  program: { module: '@stowage/compression-bz2', create: 'bz2()', timeoutMs: timeoutMs / 2 },
})
