import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { ownBackends } from '../plugins/own-packages.js'
import { schemeOf } from '../store-url.js'

/**
 * The error for an option that the command line does not have because it is one of another backend than the store's;
 * undefined for any other unknown option.
 *
 * @param message - of commander
 */
export function foreignFlag(message: string, storeUrl: string): CliError | undefined {
  const name = /unknown option '--([^'=]+)/.exec(message)?.[1]
  const owners = ownBackends.filter(({ flags }) => name !== undefined && flags.includes(name))
  if (name === undefined || owners.length === 0) return undefined
  const schemes = owners.flatMap((owner) => owner.schemes.map((scheme) => `${scheme}:`)).join(' and ')
  const scheme = schemeOf(storeUrl)
  const rest = scheme === undefined ? '--store is not set' : `this store is ${scheme}:`
  return new CliError('USAGE', `--${name} is an option of ${schemes} stores; ${rest}.`, {
    exitCode: exitCodes.usage,
    hint:
      scheme === undefined
        ? 'Add --store URL, or set STOWAGE_STORE.'
        : 'Remove the option, or change --store.',
  })
}
