import { describe, it } from 'vitest'
import { loadGuideSuite } from './guide.js'

// The whole suites on the backend and the compressor of docs/writing-a-backend.md, as they stand there.
await loadGuideSuite({ describe, it })
await loadGuideSuite({ describe, it }, 'brotli.test.ts')
