import { expect, it } from 'vitest'
import { runProgram } from '../child/run-program.js'

it('settles with the right error for damaged objects in every memory limit, from one byte to the default', async () => {
  const { exitCode, stdout, stderr } = await runProgram('damaged-objects')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const results = JSON.parse(stdout) as Record<string, number>
  expect(results['OBJECT_CORRUPT']).toBeGreaterThan(300)
  expect(results['VERIFY_FAILED']).toBeGreaterThan(300)
  expect(results['whole']).toBeGreaterThan(50)
}, 120_000)

it('makes backups in every memory limit, and waits for memory in none for ever', async () => {
  const { exitCode, stdout, stderr } = await runProgram('backups-in-any-memory')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(Number(stdout)).toBeGreaterThan(200)
}, 120_000)
