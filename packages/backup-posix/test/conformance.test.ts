import { posixConformance } from './conformance-suite.js'

posixConformance({ fsync: false, longListing: 120 })
