export { zlib } from './zlib.js'
export type { ZlibOptions } from './zlib.js'
