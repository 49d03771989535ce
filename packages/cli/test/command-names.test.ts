import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { inCommandNames } from '../src/output/command-names.js'

const packages = fileURLToPath(new URL('../..', import.meta.url))

/** The packages whose messages pass through the command. */
const engines = [
  'backup-core',
  'backup-posix',
  'backup-swift',
  'compression-zlib',
  'compression-bz2',
  'compression-zstd',
]

/**
 * Words in camel case that no message of the command line contains: names of the library that only wrong calls of a
 * program see, and what is of another vocabulary.
 */
const ofPrograms = new Set([
  ...[
    'bufferVolume',
    'cinderCompatible',
    'fileURLToPath',
    'fileVolume',
    'getBackup',
    'listBackups',
    'exportRecord',
  ],
  ...[
    'changeWarning',
    'lengthBytes',
    'offsetBytes',
    'openSource',
    'openTarget',
    'randomAccessVolume',
    'readsAsZeros',
  ],
  ...['getBackupDriverForUrl', 'importRecord', 'onProgress', 'authToken', 'serviceCredentials', 'renewToken'],
  ...['getBackupDriver', 'createStore', 'deleteBackup', 'checkForSetupError', 'streamVolume'],
  // Endpoint types of Keystone.
  ...['publicURL', 'internalURL', 'adminURL'],
  // The command checks what it passes as this option itself.
  'findDecompressor',
  // The library's own name, said to be that.
  'allowMissingMd5',
])

/** The sentences in the sources of a package, with … for what they quote. */
function sentencesOf(name: string): string[] {
  const source = `${packages}/${name}/src`
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return files.flatMap((file) => sentencesIn(readFileSync(`${source}/${file}`, 'utf8')))
}

function sentencesIn(code: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const text = textOf(node)
    if (text === undefined) ts.forEachChild(node, visit)
    // A string with a program, such as what a worker runs, is not a message.
    else if (text.includes(' ') && !text.includes('require(')) found.push(text)
  }
  visit(ts.createSourceFile('source.ts', code, ts.ScriptTarget.ESNext))
  return found
}

/** The text of a string, a template or a sum of them; undefined for all else. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')
  }
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
  const [left, right] = [textOf(node.left), textOf(node.right)]
  return left === undefined && right === undefined ? undefined : (left ?? '…') + (right ?? '…')
}

const sentences = engines.flatMap(sentencesOf)

describe('a message of the engine on the command line', () => {
  it('comes from the sources of the engine', () => {
    expect(sentences.length).toBeGreaterThan(300)
    expect(sentences.some((text) => text.includes('`overwrite`'))).toBe(true)
  })

  it('names no option, call or hook of the library', () => {
    const left = sentences
      .map(inCommandNames)
      .filter((text) => (text.match(/\b[a-z]+[A-Z]\w*/g) ?? []).some((word) => !ofPrograms.has(word)))
    expect(left).toEqual([])
  })

  it('asks for no option in quotes, as programs have them', () => {
    const asks = /\b(?:[Ss]et|lower) `(?!create`)[a-z]+`/ // A restore of the command always creates its target.
    expect(sentences.map(inCommandNames).filter((text) => asks.test(text))).toEqual([])
  })

  it.each([
    [
      'd.img exists and holds 3 bytes. Set `overwrite`, or name another target.',
      /Add --overwrite, or name another/,
    ],
    ['Delete those first, or set `withDescendants`.', /^Delete those first, or add --with-descendants\.$/],
    ['Set maxMemoryBytes to at least 5.', /^Set --max-memory to at least 5\.$/],
    ['If no such backup runs, `removeOrphans` removes it.', /`stowage gc` removes it/],
    ['or immediately with an `olderThanMs` of 0.', /with an --older-than of 0/],
    [
      'To make a new store: stowage init --store posix:/x (`create: true` in a program).',
      /^To make a new store: stowage init --store posix:\/x\.$/,
    ],
    [
      'The option `joinGapBytes` in the options of the POSIX driver must be a whole number, not 5.',
      /^Option --join-gap must be a whole number, not 5\.$/,
    ],
    [
      'The container x does not exist, and backupCreateContainers (backup_create_containers) is false: create it, or use another.',
      /it may not be created: add --create, or use another\.$/,
    ],
    [
      'Set backupSwiftCaCertFile (backup_swift_ca_cert_file) to a file.',
      /^Set backup_swift_ca_cert_file to a file\.$/,
    ],
    [
      'Verify the backup with level `full` to see what else is damaged;',
      /^Verify the backup with `stowage verify --level full` to see/,
    ],
    ['headersTimeoutSeconds allows 90 s', /^--timeout allows 90 s$/],
  ])('says "%s" in its own words', (message, shown) => {
    expect(inCommandNames(message)).toMatch(shown)
  })

  it('leaves the names of files, and words in quotes that are no options, as they are', () => {
    const message = 'There is no myDisk.img. Its `parent_id` and `length` are those of `cat`.'
    expect(inCommandNames(message)).toBe(message)
  })
})
