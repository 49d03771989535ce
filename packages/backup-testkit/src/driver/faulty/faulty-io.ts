import type { ObjectReader, ObjectWriter } from '@stowage/backup-core'
import type { FaultPlan } from './fault-plan.js'
import type { StoreCall, StoreOperation } from './faults.js'

/** The object that a reader or writer was given for. */
export interface FaultyPlace {
  readonly container: string
  readonly objectName: string
  readonly signal: AbortSignal | undefined
}

/**
 * A writer whose calls go through the plan. It has `writeFrom` only where the inner one has.
 *
 * @param onEnded - called when the inner writer has released its resources
 */
export function faultyWriter(
  inner: ObjectWriter,
  plan: FaultPlan,
  place: FaultyPlace,
  onEnded: () => void,
): ObjectWriter {
  const call = (operation: StoreOperation, body: () => Promise<void>): Promise<void> =>
    plan.call(callOf(operation, place), place.signal, body)
  const writeFrom = inner.writeFrom?.bind(inner)
  return {
    write: (bytes) => call('writer.write', () => inner.write(bytes)),
    ...(writeFrom && { writeFrom: (body) => call('writer.writeFrom', () => writeFrom(body)) }),
    close: () => call('writer.close', () => inner.close().then(onEnded)),
    abort: () => call('writer.abort', () => inner.abort().then(onEnded)),
  }
}

/** A reader whose calls go through the plan. It has the optional methods only where the inner one has them. */
export function faultyReader(inner: ObjectReader, plan: FaultPlan, place: FaultyPlace): ObjectReader {
  const bytesOf = async (
    operation: StoreOperation,
    signal: AbortSignal | undefined,
    body: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> => {
    const faultyCall = plan.record(callOf(operation, place))
    await faultyCall.before(signal ?? place.signal)
    const bytes = faultyCall.bytes(await body())
    faultyCall.after()
    return bytes
  }
  const stream = inner.stream?.bind(inner)
  const readRange = inner.readRange?.bind(inner)
  const close = inner.close?.bind(inner)
  return {
    read: (options = {}) => bytesOf('reader.read', options.signal, () => inner.read(options)),
    ...(stream && {
      async *stream(options = {}) {
        const faultyCall = plan.record(callOf('reader.stream', place))
        await faultyCall.before(options.signal ?? place.signal)
        for await (const piece of stream(options)) yield faultyCall.bytes(piece)
        faultyCall.after()
      },
    }),
    ...(readRange && {
      readRange: (offset, length, options = {}) =>
        bytesOf('reader.readRange', options.signal, () => readRange(offset, length, options)),
    }),
    ...(close && { close: () => plan.call(callOf('reader.close', place), place.signal, close) }),
  }
}

function callOf(operation: StoreOperation, { container, objectName }: FaultyPlace): StoreCall {
  return { operation, container, objectName }
}
