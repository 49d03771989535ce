import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zlib } from '../src/index.js'
import { bombs, pythonStreams as golden } from './golden.js'

compressorConformance({
  describe,
  it,
  label: 'zlib on node, round trips of full chunks',
  create: () => zlib({ engine: 'node' }),
  streams: true,
  parts: true,
  large: true,
})

/** Full chunks are tried on one level. In a call much shorter than this, a busy machine looks like a blocked thread. */
const shorterChunkSizeBytes = 32 * 1024 * 1024

compressorConformance({
  describe,
  it,
  label: 'gzip, level 1',
  create: () => zlib({ algorithm: 'gzip', level: 1 }),
  streams: true,
  parts: true,
  chunkSizeBytes: shorterChunkSizeBytes,
})
compressorConformance({
  describe,
  it,
  label: 'level 9',
  create: () => zlib({ level: 9 }),
  streams: true,
  parts: true,
  chunkSizeBytes: shorterChunkSizeBytes,
})
compressorConformance({
  describe,
  it,
  label: 'zlib on pako',
  create: () => zlib({ engine: 'pako' }),
  golden,
  bombs,
  streams: true,
  parts: true,
  chunkSizeBytes: shorterChunkSizeBytes,
  program: { module: '@stowage/compression-zlib', create: "zlib({ engine: 'pako' })" },
})
