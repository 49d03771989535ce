/**
 * The middle of some figures; of an even number of them, the mean of the middle two.
 *
 * @param {readonly number[]} figures
 */
export function median(figures) {
  if (figures.length === 0) return Number.NaN
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = /** @type {number} */ (sorted[middle])
  return sorted.length % 2 === 1 ? upper : (upper + /** @type {number} */ (sorted[middle - 1])) / 2
}
