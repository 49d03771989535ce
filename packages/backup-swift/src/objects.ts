import { HttpObjectReader, HttpObjectWriter } from '@stowage/http'

/** Reads one object. Holds nothing between calls. The name is Cinder's. */
export class SwiftObjectReader extends HttpObjectReader {}

/** Stores one object with one PUT, which `close` sends. The name is Cinder's. */
export class SwiftObjectWriter extends HttpObjectWriter {}
