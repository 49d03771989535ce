/** The codes of undici for what its own connections and ours have in common: their meanings are in one table. */
export type NetworkErrorCode =
  | 'UND_ERR_SOCKET'
  | 'UND_ERR_CONNECT_TIMEOUT'
  | 'UND_ERR_BODY_TIMEOUT'
  | 'UND_ERR_DESTROYED'
  | 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'

/** A failure of a connection that no system call reported. */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode

  constructor(code: NetworkErrorCode, message: string) {
    super(message)
    this.name = 'NetworkError'
    this.code = code
  }
}
