import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zlib } from '../src/index.js'

const shorterChunkSizeBytes = 8 * 1024 * 1024

compressorConformance({
  describe,
  it,
  label: 'gzip, level 1',
  create: () => zlib({ word: 'gzip', level: 1 }),
  streams: true,
  chunkSizeBytes: shorterChunkSizeBytes,
})
compressorConformance({
  describe,
  it,
  label: 'level 9',
  create: () => zlib({ level: 9 }),
  streams: true,
  chunkSizeBytes: shorterChunkSizeBytes,
})
