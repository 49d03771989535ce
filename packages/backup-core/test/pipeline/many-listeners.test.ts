import { describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { getMaxListeners, setMaxListeners } from 'node:events'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { allowManyListeners } from '../../src/pipeline/many-listeners.js'
import { runPipeline } from '../../src/pipeline/pipeline.js'

/** The warnings of the process while a function runs. */
async function warningsOf(run: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', note)
  await run().finally(async () => {
    // A warning is emitted in a later tick.
    await sleep(10)
    process.off('warning', note)
  })
  return warnings
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let index = 0; index < count; index += 1) yield await Promise.resolve(index)
}

describe('many requests that wait for one signal', () => {
  it('are no leak to Node.js in a pipeline', async () => {
    const limits = { concurrency: 20, memoryBytes: 100, operation: 'The test' }
    const warnings = await warningsOf(() =>
      runPipeline(
        limits,
        () => numbers(20),
        async (_, { signal }) => {
          const onAbort = (): void => undefined
          signal.addEventListener('abort', onAbort)
          await sleep(20)
          signal.removeEventListener('abort', onAbort)
        },
      ),
    )
    expect(warnings).toEqual([])
  })

  it('are no leak with the signal of a caller, whose own limit is kept', async () => {
    const { signal } = new AbortController()
    await new MemoryBackupDriver().listBackups({ signal })
    expect(getMaxListeners(signal)).toBe(Infinity)
    const limited = new AbortController().signal
    setMaxListeners(5, limited)
    await new MemoryBackupDriver().listBackups({ signal: limited })
    expect(getMaxListeners(limited)).toBe(5)
  })

  it('may wait for a signal that is not of Node.js', () => {
    expect(() => {
      allowManyListeners({ aborted: false } as AbortSignal)
    }).not.toThrow()
  })
})
