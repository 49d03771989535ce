import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zlib } from '../src/index.js'
import { bombs, pythonStreams as golden } from './golden.js'

const node = () => zlib({ engine: 'node' })
const pako = () => zlib({ engine: 'pako' })

/** The full chunk is tried once. */
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
  chunkSizeBytes: shorterChunkSizeBytes,
  program: { module: '@stowage/compression-zlib', create: "zlib({ engine: 'pako' })" },
})
crossEngineConformance({ describe, it, engines: { node, pako } })
