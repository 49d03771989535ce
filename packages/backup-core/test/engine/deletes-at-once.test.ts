import { deletesAtOnceSuite } from './deletes-at-once.js'

deletesAtOnceSuite(40, 180_000)
