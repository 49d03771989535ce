import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ESLint, type Linter } from 'eslint'
import importX from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Layers {
  readonly coreLayers: readonly (readonly string[])[]
  readonly coreZones: readonly unknown[]
  readonly swiftLayers: readonly (readonly string[])[]
  readonly swiftZones: readonly unknown[]
  readonly s3Layers: readonly (readonly string[])[]
  readonly s3Zones: readonly unknown[]
}

/** The file has no types: it is read by the linter as it stands. */
const { coreLayers, coreZones, swiftLayers, swiftZones, s3Layers, s3Zones } = (await import(
  new URL('../../eslint.layers.js', import.meta.url).href
)) as Layers

const config = {
  files: ['**/*.ts'],
  languageOptions: { parser: tseslint.parser },
  plugins: { 'import-x': importX },
  settings: {
    'import-x/resolver-next': [
      importX.createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
    ],
  },
  rules: {
    'import-x/no-restricted-paths': [
      'error',
      { basePath: root, zones: [...coreZones, ...swiftZones, ...s3Zones] },
    ],
  },
} as unknown as Linter.Config

const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: [config] })

/** Lints one import as if a file of a folder of a package had it. */
async function messagesOf(file: string, imported: string, source = 'backup-core'): Promise<string[]> {
  const code = `import type * as planted from '${imported}'\nexport type Planted = keyof typeof planted\n`
  const [result] = await eslint.lintText(code, { filePath: `${root}packages/${source}/src/${file}` })
  return (result?.messages ?? []).map(({ message }) => message)
}

/** The folders of the table below a heading of docs/architecture.md, row by row. */
function layersUnder(heading: string): (string | undefined)[][] {
  const text = readFileSync(`${root}docs/architecture.md`, 'utf8')
  const table = text.slice(text.indexOf(heading))
  const rows = table.slice(0, table.indexOf('\n## ', 1)).matchAll(/^\| \d+ +\|([^|]*)\|/gm)
  return [...rows].map(([, cell = '']) => [...cell.matchAll(/`([a-z0-9]+)\/`/g)].map(([, name]) => name))
}

describe('the layers of backup-core', () => {
  it.each([
    ['contracts/records.ts', '../backup/run-backup.js'],
    ['format/manifest.ts', '../catalog/store-catalog.js'],
    ['chain/chain.ts', '../catalog/backup-lookup.js'],
    ['store/objects.ts', '../settings/settings.js'],
    ['errors/backup-error.ts', '../checks/check-options.js'],
    ['backup/run-backup.ts', '../chunked-backup-driver.js'],
    ['restore/run-restore.ts', '../index.js'],
  ])('refuses an import upwards: %s of %s', async (file, imported) => {
    expect(await messagesOf(file, imported)).toEqual([expect.stringContaining('only the layers below it')])
  })

  it('refuses an import of a folder in the same layer', async () => {
    const messages = await messagesOf('volume/volume-extents.ts', '../format/manifest.js')
    expect(messages).toEqual([expect.stringContaining('only the layers below it')])
  })

  it.each([
    ['backup/run-backup.ts', '../chain/chain.js'],
    ['chunked-backup-driver.ts', './backup/run-backup.js'],
    ['contracts/records.ts', '../errors/backup-error.js'],
  ])('accepts an import downwards: %s of %s', async (file, imported) => {
    expect(await messagesOf(file, imported)).toEqual([])
  })

  it('are stated in docs/architecture.md in the same order', () => {
    expect(layersUnder('## Layers of core')).toEqual(coreLayers)
  })

  it.each(['A chunk on its way to the store', 'An object on its way to the target'])(
    'have at most 15 files on the way that docs/architecture.md describes: %s',
    (title) => {
      const text = readFileSync(`${root}docs/architecture.md`, 'utf8')
      const section = text.slice(text.indexOf(`### ${title}`)).split(/\n#/, 2)[0] ?? ''
      const files = [...section.matchAll(/^\| \d+ +\| `([^`]+)`/gm)].map(([, file = '']) => file)
      expect(files.length).toBeGreaterThan(10)
      expect(files.length).toBeLessThanOrEqual(15)
      const missing = files.filter((file) => !existsSync(`${root}packages/backup-core/src/${file}`))
      expect(missing).toEqual([])
    },
  )
})

describe('the layers of backup-swift', () => {
  it.each([
    ['auth/providers.ts', '../swift/transport.js'],
    ['swift/account.ts', '../config/options.js'],
    ['config/sign-in.ts', '../driver.js'],
  ])('refuses an import upwards: %s of %s', async (file, imported) => {
    const messages = await messagesOf(file, imported, 'backup-swift')
    expect(messages).toEqual([expect.stringContaining('only the layers below it')])
  })

  it.each([
    ['config/sign-in.ts', '../auth/catalog.js'],
    ['swift/account.ts', '../auth/catalog.js'],
    ['driver.ts', './config/options.js'],
  ])('accepts an import downwards: %s of %s', async (file, imported) => {
    expect(await messagesOf(file, imported, 'backup-swift')).toEqual([])
  })

  it('are stated in docs/architecture.md in the same order', () => {
    expect(layersUnder('## Layers of backup-swift')).toEqual(swiftLayers)
  })
})

describe('the layers of backup-s3', () => {
  it.each([
    ['s3/transport.ts', '../config/options.js'],
    ['auth/sign.ts', '../s3/names.js'],
    ['config/sources.ts', '../driver.js'],
  ])('refuses an import upwards: %s of %s', async (file, imported) => {
    const messages = await messagesOf(file, imported, 'backup-s3')
    expect(messages).toEqual([expect.stringContaining('only the layers below it')])
  })

  it('are stated in docs/architecture.md in the same order', () => {
    expect(layersUnder('## Layers of backup-s3')).toEqual(s3Layers)
  })
})
