/* What a configuration file needs. It is loaded as one module, and only where there is a file. */
export { applyConfig, storeUrlOf } from './apply-config.js'
export { readConfig } from './read-config.js'
