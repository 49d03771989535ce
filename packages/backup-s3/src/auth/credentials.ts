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

/** Keys, or a function that returns them. */
export type S3CredentialSource = S3Credentials | S3CredentialProvider
