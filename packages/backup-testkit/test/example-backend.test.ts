import { throwIfAborted } from '@stowage/backup-core'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { driverConformance } from '../src/index.js'
import { KeyValueBackupDriver } from './example-backend.js'
import type { KeyValueClient } from './example-backend.js'

class MapClient implements KeyValueClient {
  readonly #values = new Map<string, Uint8Array>()

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    throwIfAborted(signal)
    return this.#values.get(key)
  }

  async set(key: string, value: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    this.#values.set(key, value)
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    this.#values.delete(key)
  }

  async *keys(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    throwIfAborted(signal)
    for (const key of this.#values.keys()) if (key.startsWith(prefix)) yield key
  }
}

driverConformance({
  describe,
  it,
  label: 'the example of docs/writing-a-backend.md',
  capabilities: { maxObjectNameBytes: 512 },
  create: () => {
    const client = new MapClient()
    return { open: (options) => new KeyValueBackupDriver({ ...options, client }) }
  },
})

describe('docs/writing-a-backend.md', () => {
  it('has the example backend word for word', async () => {
    const doc = await readFile(new URL('../../../docs/writing-a-backend.md', import.meta.url), 'utf8')
    const example = await readFile(new URL('example-backend.ts', import.meta.url), 'utf8')
    expect(doc).toContain('```ts\n' + example + '```\n')
  })
})
