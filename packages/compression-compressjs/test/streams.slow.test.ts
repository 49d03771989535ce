import { engineSuite } from '../../compression-shared/test/engine-suite.js'
import { bz2Compressjs } from '../src/index.js'

engineSuite({ create: bz2Compressjs, imageCount: 4, everyNthBit: 1, chunkSizeBytes: 300_000 })
