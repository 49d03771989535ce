import { engineSuite } from '../../compression-shared/test/engine-suite.js'
import { bz2Compressjs } from '../src/index.js'

engineSuite({ create: bz2Compressjs, imageCount: 3, everyNthBit: 5, chunkSizeBytes: 300_000 })
