import { faultSuite } from './fault-suite.js'

// `faults.slow.test.ts` strikes each request with each fault.
faultSuite({ times: 'once', everyNth: 14, onePhase: true })
faultSuite({ times: 'always', everyNth: 14, onePhase: true })
