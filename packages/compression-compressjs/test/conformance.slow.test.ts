import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { bz2 } from '@stowage/compression-bz2'
import { describe, it } from 'vitest'
import { bombs, otherStreams as golden } from '../../compression-shared/test/golden.js'
import { bz2Compressjs } from '../src/index.js'

/** compressjs takes a second for what libbzip2 does in 70 ms, and longer while other tests run. */
const timeoutMs = 120_000
const withLongTimeout = Object.assign(
  (name: string, body: () => Promise<void>): void => {
    it(name, { timeout: timeoutMs }, body)
  },
  { skip: it.skip },
)

/** Shorter than the suite's own. */
const bombLengthBytes = 32 * 1024 * 1024
const chunkSizeBytes = 4 * 1024 * 1024

compressorConformance({
  describe,
  it: withLongTimeout,
  label: 'bz2, in JavaScript',
  create: () => bz2Compressjs(),
  golden,
  bombs,
  bombLengthBytes,
  chunkSizeBytes,
  streams: true,
  program: { module: '@stowage/compression-compressjs', create: 'bz2Compressjs()', timeoutMs: timeoutMs / 2 },
})
crossEngineConformance({
  describe,
  it: withLongTimeout,
  engines: {
    compressjs: () => bz2Compressjs({ algorithm: 'bzip2' }),
    libbzip2: () => bz2(),
  },
})
