import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { TestCloud, testUsers } from '../../../../test-fixtures/test-cloud/index.js'
import { main } from '../../src/index.js'

/** The lines of the first block below a heading of the README, without comments. */
async function linesBelow(heading: string): Promise<string[]> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, block = ''] =
    new RegExp(`^## ${heading}\\n[^]*?^\`\`\`sh\\n([^]*?)^\`\`\``, 'm').exec(readme) ?? []
  return block.split('\n').flatMap((line) => line.replace(/\s+#.*$/, '') || [])
}

it('backs up into Swift as the README says', async () => {
  await using cloud = await TestCloud.start()
  const home = await mkdtemp(join(tmpdir(), 'stowage-swift-'))
  try {
    const { demo } = testUsers
    const auth =
      `{auth_url: '${cloud.keystoneUrl}', username: ${demo.name}, password: ${demo.password}, ` +
      `project_name: ${demo.project.name}, user_domain_id: ${demo.domain.id}, project_domain_id: ${demo.domain.id}}`
    await writeFile(join(home, 'clouds.yaml'), `clouds:\n  prod:\n    auth: ${auth}\n`)
    await writeFile(join(home, 'disk.img'), 'a disk')
    const env: Record<string, string> = { OS_CLIENT_CONFIG_FILE: join(home, 'clouds.yaml') }
    let stdout = ''
    let stderr = ''
    const lines = await linesBelow('In Swift')
    for (const line of lines) {
      const [command = '', ...args] = line.replace('disk.img', join(home, 'disk.img')).split(' ')
      if (command === 'export') {
        for (const [, name = '', value = ''] of args.join(' ').matchAll(/(\w+)=(\S+)/g)) env[name] = value
        continue
      }
      expect(command).toBe('stowage')
      stdout = ''
      const exitCode = await main(args, {
        stdin: Readable.from([]),
        stdout: { write: (text) => (stdout += text) },
        stderr: { write: (text) => (stderr += text) },
        env,
      })
      expect({ line, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({
        line,
        exitCode: 0,
        stderr: '',
      })
    }
    expect(lines.length).toBeGreaterThan(3)
    expect(stdout).toMatch(/ full [^]* incremental /)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})
