/** A call that a fault can affect: a hook of the driver, or a method of its writers and readers. */
export type StoreOperation =
  | 'putContainer'
  | 'getContainerEntries'
  | 'getContainers'
  | 'getObjectWriter'
  | 'getObjectReader'
  | 'deleteObject'
  | 'deleteObjects'
  | 'objectExists'
  | 'objectModifiedAt'
  | 'objectInfo'
  | 'getExtraMetadata'
  | 'checkForSetupError'
  | 'writer.write'
  | 'writer.writeFrom'
  | 'writer.close'
  | 'writer.abort'
  | 'reader.read'
  | 'reader.stream'
  | 'reader.readRange'
  | 'reader.close'

/** A call that was made. */
export interface StoreCall {
  readonly operation: StoreOperation
  readonly container?: string
  readonly objectName?: string
}

/** The calls that a fault affects. */
export interface FaultMatch {
  /** Calls on objects of this name, or of a name that matches. @default any, also calls without an object */
  readonly object?: string | RegExp
  /** Affects only the n-th matching call, from 1 on. @default all of them */
  readonly nth?: number
}

/** What a fault does to a call. */
export type FaultEffect =
  /** Rejects with the error, before the call has had any effect, or after it has had all of it. */
  | { readonly kind: 'fail'; readonly when: 'before' | 'after'; readonly error: () => Error }
  /** Changes the bytes that a reader returns. */
  | { readonly kind: 'transform'; readonly change: (bytes: Uint8Array) => Uint8Array }
  /** Leaves names out of a listing. */
  | { readonly kind: 'hide'; readonly names: RegExp }
  /** Does something first: waits, aborts a controller, deletes an object. */
  | {
      readonly kind: 'run'
      readonly run: (call: StoreCall, signal: AbortSignal | undefined) => Promise<void> | void
    }

/** One fault of a plan. */
export interface Fault extends FaultMatch {
  readonly operations: readonly StoreOperation[]
  readonly effect: FaultEffect
}
