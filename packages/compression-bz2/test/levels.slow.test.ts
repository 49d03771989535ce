import { compressorConformance } from '@stowage/backup-testkit'
import { describe } from 'vitest'
import { bz2 } from '../src/index.js'
import { withLongTimeout } from './long-timeout.js'

compressorConformance({
  describe,
  it: withLongTimeout,
  label: 'bzip2, level 1',
  create: () => bz2({ algorithm: 'bzip2', level: 1 }),
  streams: true,
  bombLengthBytes: 16 * 1024 * 1024,
  chunkSizeBytes: 8 * 1024 * 1024,
})
