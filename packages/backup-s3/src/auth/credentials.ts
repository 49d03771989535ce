/** Keys for requests to S3: the shape of the AWS SDK's `AwsCredentialIdentity`. */
export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** For temporary keys. */
  readonly sessionToken?: string | undefined
  /** When temporary keys end. New ones are requested five minutes before. */
  readonly expiration?: Date | undefined
}

/** Returns keys: the shape of a credential provider of the AWS SDK, such as `fromNodeProviderChain()`. */
export type S3CredentialProvider = () => Promise<S3Credentials>

/** What is wrong with keys; undefined for valid ones. Without their values, which are secrets. */
export function keysProblem(keys: unknown): string | undefined {
  const { accessKeyId, secretAccessKey, sessionToken } = (keys ?? {}) as Readonly<Record<string, unknown>>
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    return 'there is no accessKeyId or no secretAccessKey'
  if (accessKeyId === '' || secretAccessKey === '') return 'accessKeyId or secretAccessKey is empty'
  // A header can have no others: the client would reject the request, and quote the token.
  if (!/^[!-~]+$/.test(accessKeyId)) return 'accessKeyId has spaces or other characters that no key has'
  if (sessionToken === undefined || sessionToken === null) return undefined
  return typeof sessionToken === 'string' && /^[!-~]+$/.test(sessionToken)
    ? undefined
    : 'sessionToken is not a text without spaces'
}

/** Keys, or a function that returns them. */
export type S3CredentialSource = S3Credentials | S3CredentialProvider
