import { posixConformance } from './conformance-suite.js'

posixConformance({ fsync: true, longListing: 1100 })
