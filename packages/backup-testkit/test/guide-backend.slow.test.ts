import { describe, it } from 'vitest'
import { loadGuideSuite } from './guide.js'

// The whole suite on the backend of docs/writing-a-backend.md, as it stands there.
await loadGuideSuite({ describe, it })
