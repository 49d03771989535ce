import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { bz2 } from '@stowage/compression-bz2'
import { describe, it } from 'vitest'
import { otherStreams as golden } from '../../compression-bzip2-streams/test/golden.js'
import { bz2Compressjs } from '../src/index.js'

// compressjs takes a second for what libbzip2 does in 70 ms, and so gets smaller chunks than the suite's own.
const bombLengthBytes = 32 * 1024 * 1024
const chunkSizeBytes = 4 * 1024 * 1024

compressorConformance({
  describe,
  it,
  label: 'bz2, in JavaScript',
  create: () => bz2Compressjs(),
  golden,
  bombLengthBytes,
  chunkSizeBytes,
  streams: true,
  program: {
    module: new URL('../dist/index.js', import.meta.url).href,
    create: 'bz2Compressjs()',
  },
})
crossEngineConformance({
  describe,
  it,
  engines: {
    compressjs: () => bz2Compressjs({ word: 'bzip2' }),
    libbzip2: () => bz2(),
  },
})
