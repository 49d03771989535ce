import { faultSuite } from './fault-suite.js'

faultSuite({ times: 'once', everyNth: 1 })
faultSuite({ times: 'always', everyNth: 1 })
