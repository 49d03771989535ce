export { bodyOf, collect, discard, fill, piecesOf, type BodySink, type FilledBody } from './bodies.js'
export { HttpClient, type HttpClientOptions, type Refusal, type Sending } from './client.js'
export type { ConnectionOptions } from './connection-pool.js'
export { DEFAULT_RETRY, DEFAULT_TIMEOUTS } from './defaults.js'
export type { HttpTimeouts } from './exchange-watch.js'
export {
  contentLengthOf,
  headerOf,
  requestIdOf,
  type HttpRequest,
  type HttpResponse,
  type ResponseHead,
} from './exchange.js'
export { statusMeaning, type FailureMeaning, type OptionNames, type RetryAdvice } from './failures.js'
export { masked, quotable, quotableUrl } from './mask.js'
export { abortableSleep, AttemptFailure, retrying, type RetryPolicy, type RetryReport } from './retry.js'
export { withoutUndefined } from './without-undefined.js'
export { deleteObject, deleteOneByOne } from './objects/delete-objects.js'
export { HttpObjectReader } from './objects/object-reader.js'
export type { ObjectAddress, ObjectCall, ObjectServer, PutHeaders } from './objects/object-server.js'
export {
  bareEtag,
  headObject,
  lastModifiedOf,
  objectExists,
  objectInfo,
  objectModifiedAt,
  type HeadOptions,
} from './objects/object-state.js'
export { HttpObjectWriter, type ObjectWriterOptions } from './objects/object-writer.js'
export { putObject, type ExclusiveWriter, type NewObject, type PutState } from './objects/put-object.js'
export {
  networkOptions,
  networkSettings,
  timeLimitsOf,
  type Environment,
  type NetworkOptions,
  type NetworkSettings,
  type OwnNetworkOptions,
} from './network-options.js'
export {
  choice,
  option,
  positive,
  rulesOf,
  withDefaults,
  type FilledOptions,
  type OptionsOf,
  type OptionTable,
  type TableOption,
} from './option-table.js'
export { isMissingFile, readTextFile } from './text-file.js'
