import type { StoredObject } from './metadata.js'

/** A record stays small whatever a manifest says. */
const MAX_COMPRESSIONS = 16

/** The compressions of some objects, by their words, in alphabetical order. */
export function compressionsOf(objects: readonly StoredObject[]): string[] {
  const words = new Set<string>()
  for (const { compression } of objects) {
    if (words.size < MAX_COMPRESSIONS) words.add(compression)
  }
  return [...words].sort()
}
