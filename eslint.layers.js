/** The packages, lowest first, and which others each of them may import. */
export const packageImports = {
  'backup-core': [],
  http: ['backup-core'],
  'cinder-conf': ['backup-core', 'http'],
  'backup-posix': ['backup-core'],
  'backup-swift': ['backup-core', 'http', 'cinder-conf'],
  'backup-s3': ['backup-core', 'http', 'cinder-conf'],
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
  ['backup', 'copy', 'restore', 'verify', 'orphans'],
  ['commit'],
  ['delete'],
  ['catalog', 'fetch'],
  ['chain'],
  ['settings'],
  ['store'],
  ['pipeline', 'hash'],
  ['format', 'volume', 'compression', 'workers'],
  ['contracts'],
  ['checks'],
  ['errors'],
]

/** The same for `packages/backup-swift/src`. The files of its root may import all of them. */
export const swiftLayers = [['config'], ['swift'], ['auth']]

/** The same for `packages/backup-s3/src`. */
export const s3Layers = [['config'], ['s3'], ['auth']]

/** One zone for `import-x/no-restricted-paths` per folder: the folders above it and beside it, and the files of the root. */
function zonesOf(source, layers, rootFiles) {
  return layers.flatMap((folders, depth) =>
    folders.map((folder) => ({
      target: `./${source}/${folder}`,
      from: [
        ...layers
          .slice(0, depth + 1)
          .flat()
          .filter((other) => other !== folder)
          .map((other) => `./${source}/${other}`),
        ...rootFiles.map((file) => `./${source}/${file}`),
      ],
      message: `${folder}/ may import only the layers below it (eslint.layers.js, docs/architecture.md).`,
    })),
  )
}

export const coreZones = zonesOf('packages/backup-core/src', coreLayers, [
  'backend-package.ts',
  'chunked-backup-driver.ts',
  'driver-brand.ts',
  'index.ts',
])

export const swiftZones = zonesOf('packages/backup-swift/src', swiftLayers, [
  'connect.ts',
  'driver.ts',
  'get-backup-driver.ts',
  'index.ts',
  'objects.ts',
  'stowage-backend.ts',
])

export const s3Zones = zonesOf('packages/backup-s3/src', s3Layers, [
  'connect.ts',
  'driver.ts',
  'get-backup-driver.ts',
  'index.ts',
  'objects.ts',
  'stowage-backend.ts',
])
