import { beganAt } from '../format/backup-prefix.js'
import { parseCreatedAt } from '../format/timestamps.js'
import { inOrder } from './order.js'
import type { Summary } from './summary.js'

/**
 * The backups of a volume, newest first, read one second at a time: of thousands of backups as few manifests as the caller
 * takes. The names say when each began, where they are as Cinder's drivers make them; of others the manifests do, and all
 * of them are read.
 *
 * Backups of one second are ordered by their chain.
 *
 * @param read - reads manifests, in any order; leaves out what is unreadable, or gone
 */
export async function* newestFirst<Place extends { readonly prefix: string }>(
  places: readonly Place[],
  volumeId: string,
  read: (places: readonly Place[]) => Promise<readonly Summary[]>,
): AsyncGenerator<Summary['record']> {
  const datedPlaces = new Map<string, Place[]>()
  const undated: Place[] = []
  for (const place of places) {
    const second = beganAt(place.prefix, volumeId)
    if (second === undefined) undated.push(place)
    else datedPlaces.set(second, [...(datedPlaces.get(second) ?? []), place])
  }
  const readAlready = await read(undated)
  const seconds = new Set([...datedPlaces.keys(), ...readAlready.map(secondOf)])
  for (const second of [...seconds].sort().reverse()) {
    const ofSecond = readAlready.filter((summary) => secondOf(summary) === second)
    const summaries = [...ofSecond, ...(await read(datedPlaces.get(second) ?? []))]
    const records = summaries.map(({ record }) => record)
    yield* inOrder(records.filter((record) => record.volumeId === volumeId)).reverse()
  }
}

function secondOf({ record: { createdAt } }: Summary): string {
  const time = parseCreatedAt(createdAt) ?? new Date(0)
  return time.toISOString().replace(/\D/g, '').slice(0, 14)
}
