import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

// The CommonJS build finds the worker by import.meta.url too.
export default defineConfig({ ...base, shims: true })
