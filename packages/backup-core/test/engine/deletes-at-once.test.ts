import { deletesAtOnceSuite } from './deletes-at-once.js'

deletesAtOnceSuite(120, 180_000)
