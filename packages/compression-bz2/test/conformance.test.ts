import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { bz2 } from '../src/index.js'
import { bombs, otherStreams as golden } from './golden.js'

/** bzip2 takes its time: 50 MiB are three passes of seconds each, and more where other tests run beside. */
const timeoutMs = 120_000
const patiently = (name: string, body: () => Promise<void>): void => {
  it(name, { timeout: timeoutMs }, body)
}

compressorConformance({
  describe,
  it: patiently,
  label: 'bz2',
  create: () => bz2(),
  golden,
  streams: true,
  bombs,
  program: { module: '@stowage/compression-bz2', create: 'bz2()', timeoutMs: timeoutMs / 2 },
})
compressorConformance({
  describe,
  it: patiently,
  label: 'bzip2, level 1',
  create: () => bz2({ word: 'bzip2', level: 1 }),
  streams: true,
  bombLengthBytes: 16 * 1024 * 1024,
  chunkSizeBytes: 8 * 1024 * 1024,
})
