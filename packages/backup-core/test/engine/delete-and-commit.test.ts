import { deleteAndCommitSuite } from './delete-and-commit.js'

// `delete-and-commit.slow.test.ts` tries every interleaving.
deleteAndCommitSuite({ everyNth: 7, timeoutMs: 180_000 })
