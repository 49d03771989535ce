import { deletesAtOnceSuite } from './deletes-at-once.js'

deletesAtOnceSuite(2000, 580_000)
