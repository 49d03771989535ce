/** The packages, lowest first, and which others each of them may import. */
export const packageImports = {
  'backup-core': [],
  'backup-posix': ['backup-core'],
  'backup-swift': ['backup-core'],
  'compression-shared': ['backup-core'],
  'compression-zlib': ['backup-core', 'compression-shared'],
  'compression-bz2': ['backup-core', 'compression-shared'],
  'compression-zstd': ['backup-core', 'compression-shared'],
  'compression-compressjs': ['backup-core', 'compression-shared'],
  'backup-testkit': ['backup-core'],
}

/**
 * The folders of `packages/backup-core/src`, top to bottom. A folder imports folders of lower layers only, not those
 * beside it. `docs/architecture.md` has the same table in the same order, and a test compares the two.
 */
export const coreLayers = [
  ['backup', 'restore', 'verify', 'orphans'],
  ['delete'],
  ['catalog', 'fetch'],
  ['chain'],
  ['settings'],
  ['store'],
  ['pipeline', 'hash'],
  ['format', 'volume', 'compression'],
  ['contracts'],
  ['checks'],
  ['errors'],
]

const coreSource = 'packages/backup-core/src'

/** One zone for `import-x/no-restricted-paths` per folder: the folders above it and beside it, and the files of the root. */
export const coreZones = coreLayers.flatMap((folders, depth) =>
  folders.map((folder) => ({
    target: `./${coreSource}/${folder}`,
    from: [
      ...coreLayers
        .slice(0, depth + 1)
        .flat()
        .filter((other) => other !== folder)
        .map((other) => `./${coreSource}/${other}`),
      `./${coreSource}/chunked-backup-driver.ts`,
      `./${coreSource}/index.ts`,
    ],
    message: `${folder}/ may import only the layers below it (eslint.layers.js, docs/architecture.md).`,
  })),
)
