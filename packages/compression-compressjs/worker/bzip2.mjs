// @ts-check
/**
 * compressjs' bzip2, loaded without the rest of it, with assertions that throw.
 *
 * It asserts with `console.assert`, some millions of times a block: two thirds of its time, and a failure is
 * only printed. While it works, an assertion that fails ends the job instead.
 */
import { createRequire } from 'node:module'

/** @param {unknown} holds */
function assertHolds(holds) {
  if (!holds) throw new Error('an assertion of compressjs failed')
}

/**
 * @template T
 * @param {() => T} work
 * @returns {T}
 */
function asserting(work) {
  const { assert } = console
  console.assert = assertHolds
  try {
    return work()
  } finally {
    console.assert = assert
  }
}

/** Its sorting binds `console.assert` when it is loaded. */
const bzip2 = asserting(
  () =>
    /** @type {typeof import('compressjs/lib/Bzip2.js').default} */ (
      createRequire(import.meta.url)('compressjs/lib/Bzip2.js')
    ),
)

/** @type {typeof bzip2.compressFile} */
export const compressFile = (...job) => asserting(() => bzip2.compressFile(...job))
