import { isBackupError } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compressorConformance, MemoryBackupDriver } from '../../src/index.js'
import { failuresOf, recordedTests } from './recording-runner.js'
import { sound } from './sound-compressor.js'

let current: Compressor = sound
const tests = recordedTests((runner) => {
  compressorConformance({ ...runner, create: () => current })
}).filter(({ part }) => part === 'its name and aliases')

function driverAccepts(compression: Compressor): boolean {
  try {
    return new MemoryBackupDriver({ compression }) instanceof MemoryBackupDriver
  } catch (error) {
    if (isBackupError(error, 'OPTION_INVALID')) return false
    throw error
  }
}

async function suiteAccepts(compressor: Compressor): Promise<boolean> {
  current = compressor
  return (await failuresOf(tests)).length === 0
}

const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,70}$/),
  fc.string({ maxLength: 4 }),
  fc.constantFrom('zlib', 'gzip', 'ZLIB', 'none', 'off', 'no', '', 'lz4', 'lzma.2', 'a b', '.a', 'a\n'),
)

it('accepts the names of compressors that drivers accept, and no others', async () => {
  expect(tests).toHaveLength(1)
  expect(driverAccepts(sound) && (await suiteAccepts(sound))).toBe(true)
  await fc.assert(
    fc.asyncProperty(
      name,
      fc.array(name, { maxLength: 2 }),
      fc.constantFrom(undefined, true, false),
      async (own, aliases, cinderCompatible) => {
        const declared = cinderCompatible === undefined ? {} : { cinderCompatible }
        const compressor: Compressor = { ...sound, name: own, aliases, ...declared }
        expect(await suiteAccepts(compressor)).toBe(driverAccepts(compressor))
      },
    ),
    { numRuns: 500 },
  )
})

it.each(['lzma.2', 'a'.repeat(64), 'x-1_y'])('accepts the name %s, as drivers do', async (own) => {
  const compressor: Compressor = { ...sound, name: own, aliases: [], cinderCompatible: false }
  expect([driverAccepts(compressor), await suiteAccepts(compressor)]).toEqual([true, true])
})

it.each(['none', 'Zlib', '.a', '', 'a'.repeat(65)])('rejects the name %j, as drivers do', async (own) => {
  const compressor: Compressor = { ...sound, name: own, aliases: [], cinderCompatible: false }
  expect([driverAccepts(compressor), await suiteAccepts(compressor)]).toEqual([false, false])
})
