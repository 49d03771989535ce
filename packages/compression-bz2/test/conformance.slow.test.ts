import { compressorConformance } from '@stowage/backup-testkit'
import { describe } from 'vitest'
import { bz2 } from '../src/index.js'
import { bombs, otherStreams as golden } from './golden.js'
import { timeoutMs, withLongTimeout } from './long-timeout.js'

compressorConformance({
  describe,
  it: withLongTimeout,
  label: 'bz2',
  create: () => bz2(),
  golden,
  streams: true,
  bombs,
  // Each MiB is three passes of a tenth of a second.
  chunkSizeBytes: 16 * 1024 * 1024,
  program: { module: '@stowage/compression-bz2', create: 'bz2()', timeoutMs: timeoutMs / 2 },
})
