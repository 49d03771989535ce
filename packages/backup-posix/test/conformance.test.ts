import { posixConformance } from './conformance-suite.js'

posixConformance(false)
