import type { ObjectReader, StoreOptions } from '@stowage/backup-core'
import assert from 'node:assert/strict'

/** The object in pieces, from a reader of a driver that declares `streamingReads`. */
export function streamOf(reader: ObjectReader, options: StoreOptions = {}): AsyncIterable<Uint8Array> {
  const pieces = reader.stream?.(options)
  assert.ok(pieces, 'the driver declares streamingReads, and its readers have no stream')
  return pieces
}

/** A part of the object, from a reader of a driver that declares `rangedReads`. */
export async function rangeOf(
  reader: ObjectReader,
  offsetBytes: number,
  lengthBytes: number,
  options: StoreOptions = {},
): Promise<Uint8Array> {
  const bytes = await reader.readRange?.(offsetBytes, lengthBytes, options)
  assert.ok(bytes, 'the driver declares rangedReads, and its readers have no readRange')
  return bytes
}

/** Goes through a listing to its end, and returns how many names it had. */
export async function countNames(names: AsyncIterable<string>): Promise<number> {
  let count = 0
  for await (const name of names) count += name === '' ? 0 : 1
  return count
}
