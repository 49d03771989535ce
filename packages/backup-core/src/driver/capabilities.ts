/**
 * What a backend can do beyond the mandatory hooks. A capability that is not declared is not used and not tested;
 * one that is declared is tested by the conformance suite.
 */
export interface DriverCapabilities {
  /** Readers have `stream`: an object need not be held whole. @default false */
  readonly streamingReads?: boolean
  /** Readers have `readRange`. @default false */
  readonly rangedReads?: boolean
  /** Writers take any number of `write` calls without holding the object in memory. @default false */
  readonly streamingWrites?: boolean
  /**
   * Writers have `writeFrom`, and produce the body while they send it, once for each attempt: an object need not be held
   * whole. @default false
   */
  readonly streamingBodies?: boolean
  /**
   * Writers honour `exclusive`: an object that exists is never replaced. Of several writers that create the same object
   * concurrently with `claim`, at most one `close` resolves, and the object is that writer's; without `claim`, only
   * where the store can lock a name. @default false
   */
  readonly exclusiveCreate?: boolean
  /** `getContainers` names every container that may hold backups, not the default one alone. @default false */
  readonly containerListing?: boolean
  /** A listing may lag behind the objects: it is trusted for nothing but finding more to delete. @default false */
  readonly eventualListing?: boolean
  /** The longest object name, in bytes of UTF-8. @default 1024 */
  readonly maxObjectNameBytes?: number
}
