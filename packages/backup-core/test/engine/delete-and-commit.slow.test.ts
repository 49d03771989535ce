import { deleteAndCommitSuite } from './delete-and-commit.js'

deleteAndCommitSuite({ everyNth: 1, timeoutMs: 580_000 })
