import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const makeVaults = fileURLToPath(new URL('../vaults/make-vaults.py', import.meta.url))

test('the vaults of this repository are what Cinder writes today', async () => {
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [makeVaults, '--check'])
  expect(stdout).toMatch(/^\d+ vaults with \d+ backups are the same\n$/)
})
