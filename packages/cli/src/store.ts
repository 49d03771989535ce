/*
 * What the command needs once a store or a configuration is named. It is loaded as one module: a chunk of the build for each
 * of these files would make every start slower.
 */
export { addFlags } from './backends/backend-flags.js'
export { chooseStore } from './backends/choose-store.js'
export { addHelpSections } from './backends/help-sections.js'
export { loadBackend, loadOwnBackends } from './backends/load-backend.js'
export { compressorOf } from './compression/load-compressor.js'
export { applyConfig, storeUrlOf } from './config/apply-config.js'
export { readConfig } from './config/read-config.js'
export { withStore } from './open-store.js'
