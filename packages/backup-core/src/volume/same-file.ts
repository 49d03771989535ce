import type { BigIntStats } from 'node:fs'

/** Whether two descriptions are of one file. */
export function sameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino
}
