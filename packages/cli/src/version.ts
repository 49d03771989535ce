declare const __STOWAGE_VERSION__: string | undefined

/** The package's version, put in by the build; the sources run as they are say `source`. */
export const version = typeof __STOWAGE_VERSION__ === 'string' ? __STOWAGE_VERSION__ : 'source'
