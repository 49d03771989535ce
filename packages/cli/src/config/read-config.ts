import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { checkConfig } from './config.js'
import type { Config } from './config.js'

/**
 * Reads a configuration file: JSON, YAML, or a module whose default export is the configuration.
 *
 * @throws CliError `CONFIG_INVALID`
 */
export async function readConfig(file: string): Promise<Config> {
  let content: unknown
  try {
    content = await contentOf(file)
  } catch (cause) {
    const [why = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    throw new CliError('CONFIG_INVALID', `The configuration file ${file} cannot be read: ${why}`, {
      exitCode: exitCodes.usage,
      cause,
    })
  }
  return checkConfig(content, file)
}

async function contentOf(file: string): Promise<unknown> {
  switch (extname(file)) {
    case '.json':
      return JSON.parse(await readFile(file, 'utf8')) as unknown
    case '.yaml':
    case '.yml': {
      const { parse } = await import('yaml')
      // An empty file is an empty configuration.
      return (parse(await readFile(file, 'utf8')) as unknown) ?? {}
    }
    case '.mjs':
    case '.js':
      return ((await import(pathToFileURL(file).href)) as { readonly default?: unknown }).default
    default:
      throw new Error('its name must end with .json, .yaml, .yml, .mjs or .js')
  }
}
