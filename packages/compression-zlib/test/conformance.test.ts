import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zlib } from '../src/index.js'
import { bombs, pythonStreams as golden } from './golden.js'

const node = () => zlib({ engine: 'node' })
const pako = () => zlib({ engine: 'pako' })

/** The full chunk is tried once on each engine. */
const shorterChunkSizeBytes = 8 * 1024 * 1024

compressorConformance({
  describe,
  it,
  label: 'zlib on node',
  create: node,
  golden,
  bombs,
  streams: true,
  large: true,
  program: { module: '@stowage/compression-zlib', create: 'zlib()' },
})
compressorConformance({
  describe,
  it,
  label: 'zlib on pako',
  create: pako,
  golden,
  bombs,
  streams: true,
  program: { module: '@stowage/compression-zlib', create: "zlib({ engine: 'pako' })" },
})
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
crossEngineConformance({ describe, it, engines: { node, pako } })
