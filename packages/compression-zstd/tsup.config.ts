import { defineConfig } from 'tsup'
import { compressorWithWorker } from '../../tsup.base.js'

export default defineConfig(compressorWithWorker('worker/zstd-worker.mjs'))
