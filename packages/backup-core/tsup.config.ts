import { defineConfig } from 'tsup'
import { withWorker } from '../../tsup.base.js'

export default defineConfig(withWorker('worker/hash-worker.mjs'))
