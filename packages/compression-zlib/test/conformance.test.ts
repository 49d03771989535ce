import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zlib } from '../src/index.js'
import { bombs, pythonStreams as golden } from './golden.js'

const node = () => zlib({ engine: 'node' })
const pako = () => zlib({ engine: 'pako' })

compressorConformance({
  describe,
  it,
  label: 'zlib on node',
  create: node,
  golden,
  bombs,
  streams: true,
  parts: true,
  program: { module: '@stowage/compression-zlib', create: 'zlib()' },
})
crossEngineConformance({ describe, it, engines: { node, pako } })
