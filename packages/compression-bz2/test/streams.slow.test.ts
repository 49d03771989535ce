import { engineSuite } from '../../compression-shared/test/engine-suite.js'
import { bz2 } from '../src/index.js'

engineSuite({ create: bz2, imageCount: 25, everyNthBit: 1, chunkSizeBytes: 2_000_000 })
