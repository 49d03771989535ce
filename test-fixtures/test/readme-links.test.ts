import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name))

interface Manifest {
  readonly files?: readonly string[]
  readonly repository?: { readonly url: string }
}

function manifestOf(directory: string): Manifest {
  return JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as Manifest
}

/** The targets of the links of a document, without the part after `#`; none for links within the document. */
function linksOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8').replace(/^```[\s\S]*?^```/gm, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '')
}

const isRelative = (link: string): boolean => !/^[a-z]+:/.test(link)

/** The path in the repository that an address below `repository.url` names; undefined for another address. */
function pathInRepository(link: string, { repository }: Manifest): string | undefined {
  const url = repository?.url.replace(/^git\+/, '').replace(/\.git$/, '')
  if (url === undefined || !link.startsWith(`${url}/`)) return undefined
  return link.slice(url.length + 1).replace(/^(?:blob|tree)\/[^/]+\//, '')
}

describe.each(packages)('the README of %s', (directory) => {
  const manifest = manifestOf(directory)
  const links = linksOf(join(directory, 'README.md'))

  it('links to nothing that is not in the package as npm has it', () => {
    const packed = ['README.md', 'LICENSE', 'package.json', ...(manifest.files ?? [])]
    const outside = links.filter(isRelative).filter((link) => {
      const path = relative(directory, join(directory, link))
      return !packed.includes(path.split(sep)[0] ?? '') || !existsSync(join(root, directory, path))
    })
    expect(outside).toEqual([])
  })

  it('links to nothing in the repository that is not there', () => {
    const paths = links.flatMap((link) => pathInRepository(link, manifest) ?? [])
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('names no document of the repository that is not there', () => {
    const text = readFileSync(join(root, directory, 'README.md'), 'utf8')
    const named = [...text.matchAll(/`(docs\/[\w.-]+)`/g)].map(([, path = '']) => path)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

it.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'examples/README.md'].concat(docs()))(
  'links in %s lead to files of the repository',
  (path) => {
    const lost = linksOf(path)
      .filter(isRelative)
      .filter((link) => !existsSync(join(root, dirname(path), link)))
    expect(lost).toEqual([])
  },
)

function docs(): string[] {
  return readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)
}
