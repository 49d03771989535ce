import { HttpObjectReader, HttpObjectWriter } from '@stowage/http'

/** Reads one object. Holds nothing between calls. The name is Cinder's. */
export class S3ObjectReader extends HttpObjectReader {}

/** Stores one object when it is closed: with one PUT, or in parts if it is too large for that. The name is Cinder's. */
export class S3ObjectWriter extends HttpObjectWriter {}
