import { bufferVolume, isBackupError, type BackupWarning, type VolumeTarget } from '@stowage/backup-core'

/** What became of restores from an object with one flipped bit. */
export interface FlipCounts {
  /** Other bytes than were backed up, without an error or a warning: what must not be. */
  silentlyWrong: number
  /** Other bytes, with a warning. */
  warnedWrong: number
  /** The bytes that were backed up. */
  exact: number
  /** Of those, with a warning. */
  exactWithWarning: number
  /** Refused with a `BackupError`. */
  refused: number
}

/** One flip, for the report of what went wrong. */
export interface Flip {
  readonly byte: number
  readonly bit: number
}

/** A store in which one object can be damaged. */
export interface DamagedStore {
  /** What the object holds; as long in each store. */
  readonly content: Uint8Array
  /** Replaces the object's content. */
  write(content: Uint8Array): Promise<void>
  restore(target: VolumeTarget, onWarning: (warning: BackupWarning) => void): Promise<unknown>
}

/** Which object is damaged in which backup, and what is restored. */
export interface FlipCase {
  /** What the volume held. */
  readonly expected: Uint8Array
  readonly flips: number
  /** Each works on its share of the flips, in a store of its own. */
  readonly stores: readonly DamagedStore[]
}

/** The result of one case. */
export interface FlipResult {
  readonly counts: FlipCounts
  readonly silent: readonly Flip[]
}

/** Restores once for each of many single flipped bits, chosen by a seed, and counts what comes of it. */
export async function measureFlips({ expected, flips, stores }: FlipCase): Promise<FlipResult> {
  const counts: FlipCounts = { silentlyWrong: 0, warnedWrong: 0, exact: 0, exactWithWarning: 0, refused: 0 }
  const silent: Flip[] = []
  const random = seededRandom(15)
  const lengthBytes = Math.min(...stores.map(({ content }) => content.length))
  const chosen = Array.from({ length: flips }, () => ({ byte: random(lengthBytes), bit: random(8) }))
  await Promise.all(
    stores.map(async (store) => {
      for (let flip = chosen.pop(); flip; flip = chosen.pop()) {
        await store.write(flipped(store.content, flip))
        const outcome = await restoreOnce(store, expected)
        counts[outcome] += 1
        if (outcome === 'exactWithWarning') counts.exact += 1
        if (outcome === 'silentlyWrong') silent.push(flip)
      }
      await store.write(store.content)
    }),
  )
  return { counts, silent }
}

/** A row of the table: the case and its counts. */
export function flipRow(name: string, { counts }: FlipResult): string {
  const { silentlyWrong, warnedWrong, exact, exactWithWarning, refused } = counts
  return `| ${name} | ${silentlyWrong} | ${warnedWrong} | ${exact} (${exactWithWarning} warned) | ${refused} |`
}

async function restoreOnce(store: DamagedStore, expected: Uint8Array): Promise<keyof FlipCounts> {
  let warnings = 0
  const target = bufferVolume()
  try {
    await store.restore(target, () => (warnings += 1))
  } catch (error) {
    if (!isBackupError(error)) throw error
    return 'refused'
  }
  const same = Buffer.compare(target.bytes, expected) === 0
  if (same) return warnings > 0 ? 'exactWithWarning' : 'exact'
  return warnings > 0 ? 'warnedWrong' : 'silentlyWrong'
}

function flipped(content: Uint8Array, { byte, bit }: Flip): Uint8Array {
  const damaged = Uint8Array.from(content)
  damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit)
  return damaged
}

/** Whole numbers below a limit, the same ones each time (xorshift32). */
function seededRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
