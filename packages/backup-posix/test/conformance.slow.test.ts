import { posixConformance } from './conformance-suite.js'

posixConformance(true)
