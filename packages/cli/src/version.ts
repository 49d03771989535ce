declare const __STOWAGE_VERSION__: string | undefined

/** The package's version, set by the build; `source` when the sources run unbuilt. */
export const version = typeof __STOWAGE_VERSION__ === 'string' ? __STOWAGE_VERSION__ : 'source'
