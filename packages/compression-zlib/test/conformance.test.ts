import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zlib } from '../src/index.js'
import { pythonStreams as golden } from './golden.js'

const node = () => zlib({ engine: 'node' })
const pako = () => zlib({ engine: 'pako' })

compressorConformance({ describe, it, label: 'zlib on node', create: node, golden, large: true })
compressorConformance({ describe, it, label: 'zlib on pako', create: pako, golden })
compressorConformance({
  describe,
  it,
  label: 'gzip, level 1',
  create: () => zlib({ word: 'gzip', level: 1 }),
})
compressorConformance({ describe, it, label: 'level 9', create: () => zlib({ level: 9 }) })
crossEngineConformance({ describe, it, engines: { node, pako } })
