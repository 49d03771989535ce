/*
 * Messages of the engine name options of the library; on the command line they have to name flags. A test compares these
 * tables with every message of the engine and the backends.
 */

/** Names of options and calls in the library, and on the command line. */
const names: Readonly<Record<string, string>> = {
  allowEmpty: '--allow-empty',
  allowShrink: '--allow-shrink',
  backupService: 'backup_service',
  backupSwiftRetryAttempts: '--retries',
  backupUrl: 'backup_url',
  blockSizeBytes: '--block-size',
  bodyTimeoutSeconds: '--timeout',
  chunkSizeBytes: '--chunk-size',
  clientCertFile: 'OS_CERT',
  clientKeyFile: 'OS_KEY',
  concurrency: '--concurrency',
  connectTimeoutSeconds: '--timeout',
  exchangeTimeoutSeconds: 'the deadline of a request',
  force: '--force',
  headersTimeoutSeconds: '--timeout',
  joinGapBytes: '--join-gap',
  maxMemoryBytes: '--max-memory',
  minBytesPerSecond: 'the slowest rate',
  olderThanMs: '--older-than',
  overwrite: '--overwrite',
  progressWindowSeconds: '--timeout',
  removeOrphans: 'stowage gc',
  retryDeadlineSeconds: '--retry-deadline',
  sizeBytes: '--size',
  storageUrl: 'OS_STORAGE_URL',
  withDescendants: '--with-descendants',
}

/** Sentences that only make sense for programs, and their replacements. */
const sentences: readonly (readonly [text: string | RegExp, replacement: string])[] = [
  [/ \(`[^`]*` in a program\)/g, ''],
  [/[Tt]he option (`[^`]+`) in the options of [^.]*? must be/g, 'Option $1 must be'],
  [
    'List the backups to see which there are; a backup',
    '`stowage list` names the backups of the store; a backup',
  ],
  [
    'Choose another id, or none to get a new one.',
    'Give another --backup-id, or leave it out to get a new one.',
  ],
  [
    'no option says how. Pass cloud (or set OS_CLOUD, or OS_AUTH_URL and its like), credentials, a context (per_user), or backupSwiftAuth = single_user with its options.',
    'no option or variable says how. Name a cloud of clouds.yaml (--os-cloud or OS_CLOUD), set OS_AUTH_URL and its like (or ST_AUTH, ST_USER, ST_KEY) in the environment, or name a cinder.conf (--cinder-conf).',
  ],
  [
    'backupCreateContainers (backup_create_containers) is false: create it',
    'it may not be created: add --create',
  ],
  ['Verify the backup with level `full`', 'Verify the backup with `stowage verify --level full`'],
  ['create it with putContainer', 'a backup into it creates it'],
  ['search: "container", or swift://CONTAINER', 'swift://CONTAINER'],
  ['pass context.renewToken, or sign in', 'sign in'],
  [', or pass a custom tokenProvider', ''],
  ['serviceCredentials (the group [service_user])', 'the group [service_user]'],
  [
    'Allow objects without one (allowMissingMd5) to take them as they are.',
    'This command does not restore it; a program can, with the option allowMissingMd5 of the library.',
  ],
  [
    'No package of Stowage reads it: pass a compressor of that name in `decompressors`.',
    'No package of Stowage reads it; a program can, with a compressor of that name.',
  ],
  [' and pass its compressor in `decompressors`', ''],
  [', or `verify` to false', ', or add --no-verify'],
  [
    'to copy the hash list as it is, set `verify` to false',
    'to copy the hash list as it is, add --no-verify',
  ],
  ['Set maxMemoryBytes of the destination to', 'Set --max-memory to'],
  ['Verify the copy with level `full`', 'Verify the copy with `stowage verify --level full`'],
  ['Verify it with level `full`', 'Verify it with `stowage verify --level full`'],
  ['and `strict` of the destination is', 'and --strict is'],
]

/** Options that are Cinder's own have their name in a cinder.conf. */
const cinderOption = /\b(?:backupSwift|backupCreate|backupCompression|swiftCatalog|keystoneCatalog)[A-Z]\w*/g

/** A message of the engine or a backend with the names of the command line for those of the library. */
export function inCommandNames(message: string): string {
  let text = message
  for (const [sentence, replacement] of sentences) text = text.replaceAll(sentence, replacement)
  return (
    text
      .replace(/`(\w+)`/g, (quoted, name: string) => flag(name) ?? quoted)
      .replace(/\b[a-z]+[A-Z]\w*\b/g, (name) => names[name] ?? name)
      // `backupSwiftUrl (backup_swift_url)`: one of the two is enough.
      .replace(/\b[a-z]+[A-Z]\w* \(([a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)\)/g, '$1')
      .replace(cinderOption, snakeCase)
      .replace(
        /\b([Ss])et (--(?:allow-\w+|force|overwrite|with-descendants))/g,
        (_all, s: string, name: string) => `${s === 'S' ? 'Add' : 'add'} ${name}`,
      )
  )
}

function flag(name: string): string | undefined {
  const found = Object.hasOwn(names, name) ? names[name] : undefined
  // What is typed as a command keeps its quotes.
  return found?.startsWith('stowage ') === true ? `\`${found}\`` : found
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
