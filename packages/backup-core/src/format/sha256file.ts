export type { Sha256fileHeader } from './sha256file-types.js'
export { sha256fileBody } from './sha256file-writer.js'
export { readSha256file } from './sha256file-reader.js'
export type { Sha256file } from './sha256file-reader.js'
