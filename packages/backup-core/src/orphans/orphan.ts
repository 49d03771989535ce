import type { OperationOptions } from '../progress/progress.js'

/** Options of `removeOrphans`. */
export interface OrphanOptions extends OperationOptions {
  /**
   * Leaves what is younger, in milliseconds: a backup that runs has no `_metadata` yet. The age is that of the newest object
   * under a prefix. 0 removes everything, and is right only while no backup and no delete runs. @default 24 hours
   */
  readonly olderThanMs?: number
  /** Finds orphans and removes none. @default false */
  readonly dryRun?: boolean
}

/** Something in a store that belongs to no backup. */
export interface Orphan {
  /**
   * `objects`: chunks and a hash list without `_metadata`, of a backup that was killed, or half deleted. `claim`: of a
   * backup that was killed. `marker`: of a delete that was interrupted. `temporary`: what a killed writer left.
   */
  readonly kind: 'objects' | 'claim' | 'marker' | 'temporary'
  readonly container: string
  /** The prefix of the objects, or the name of the one object. */
  readonly name: string
  /** Null where a prefix fits several ids, and for temporary objects. */
  readonly backupId: string | null
  readonly objectCount: number
  /** When the newest object was written; null where the store does not tell. */
  readonly modifiedAt: Date | null
  /** `found`: a dry run, which would remove it. `finished`: the delete was. */
  readonly outcome: 'removed' | 'finished' | 'found' | 'kept'
  /** Why it was kept. */
  readonly reason?: string
}

/** What `removeOrphans` found and did. */
export interface OrphanResult {
  readonly orphans: readonly Orphan[]
  /** Objects that were removed. */
  readonly objectsRemoved: number
}
