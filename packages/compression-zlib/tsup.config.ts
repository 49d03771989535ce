import { defineConfig } from 'tsup'
import { compressor } from '../../tsup.base.js'

export default defineConfig(compressor)
