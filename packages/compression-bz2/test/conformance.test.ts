import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { bz2 } from '../src/index.js'
import { otherStreams as golden } from './golden.js'

compressorConformance({ describe, it, label: 'bz2', create: () => bz2(), golden })
compressorConformance({
  describe,
  it,
  label: 'bzip2, level 1',
  create: () => bz2({ word: 'bzip2', level: 1 }),
  bombLengthBytes: 16 * 1024 * 1024,
})
