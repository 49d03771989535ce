import { CONCURRENT_REQUESTS } from './slots.js'

/**
 * Maps items, several concurrently, and returns the results in the order of the items. After an error it begins no further
 * item, waits for those in progress, and rejects with that error. It holds no promise for an item that has not begun.
 */
export async function mapConcurrently<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  concurrency: number = CONCURRENT_REQUESTS,
): Promise<Result[]> {
  const results: Result[] = []
  const left = numbered(items)
  const failures: unknown[] = []
  const workOn = async (): Promise<void> => {
    // All of them take their items from one generator.
    for (let next = left.next(); next.done !== true && failures.length === 0; next = left.next()) {
      const [index, item] = next.value
      try {
        results[index] = await work(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, workOn))
  if (failures.length > 0) throw failures[0]
  return results
}

/** Waits for two promises. When both have settled, rejects with the error of `one`, or else with that of `two`. */
export async function both<A, B>(one: Promise<A>, two: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([one, two])
  return [await one, await two]
}

function* numbered<Item>(items: Iterable<Item>): Generator<readonly [number, Item]> {
  let index = 0
  for (const item of items) yield [index++, item]
}
