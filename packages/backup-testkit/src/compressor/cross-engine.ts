import type { Compressor } from '@stowage/backup-core'
import { assertSameBytes } from './expectations.js'
import { samples } from './samples.js'
import type { ConformanceRunner } from '../runner.js'

/** What {@link crossEngineConformance} needs. */
export interface CrossEngineOptions extends ConformanceRunner {
  /** Makes each of two or more engines of one algorithm, by the name to show. */
  readonly engines: Readonly<Record<string, () => Compressor | Promise<Compressor>>>
}

/** Tests that every engine of an algorithm reads what each of the others wrote. */
export function crossEngineConformance(options: CrossEngineOptions): void {
  const { describe, it, engines } = options
  describe('engines of one algorithm', () => {
    for (const [writerName, createWriter] of Object.entries(engines)) {
      for (const [readerName, createReader] of Object.entries(engines)) {
        if (writerName === readerName) continue
        it(`agree: ${readerName} reads what ${writerName} wrote`, async () => {
          const writer = await createWriter()
          const reader = await createReader()
          for (const { name, bytes } of samples()) {
            const compressed = await writer.compress(bytes)
            if (compressed === null) continue
            assertSameBytes(await reader.decompress(compressed, bytes.length), bytes, name)
          }
        })
      }
    }
  })
}
