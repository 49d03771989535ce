import { Help } from 'commander'
import type { Command } from 'commander'
import { BackendOption } from './backend-flags.js'
import type { LoadedBackend } from './load-backend.js'

/** Adds to the help of every command which stores can be opened, and the options of each backend. */
export function addHelpSections(program: Command, own: readonly LoadedBackend[]): void {
  const options = program.options.filter((option) => option instanceof BackendOption)
  const backends = [...new Set([...own, ...options.map(({ backend }) => backend)])]
  const formatHelp = (command: Command, helper: Help): string => {
    const flagsOf = (backend: LoadedBackend): BackendOption[] =>
      options.filter(({ flagName }) => Object.hasOwn(backend.value.flags ?? {}, flagName))
    const storeWidth = Math.max(...backends.map((backend) => syntaxOf(backend).length))
    const width = Math.max(storeWidth, helper.padWidth(command, helper))
    const item = (term: string, description: string): string =>
      helper.formatItem(term, width, description, helper)
    const stores = backends.map((backend) => item(syntaxOf(backend), backend.packageName))
    const sections = backends.flatMap((backend) =>
      helper.formatItemList(
        `Options of ${schemesOf(backend)} stores:`,
        flagsOf(backend).map(({ flagName, flag }) => {
          // The same flag of another backend may have another description.
          const own = new BackendOption(flagName, backend.value.flags?.[flagName] ?? flag, backend)
          return item(own.flags, own.description)
        }),
        helper,
      ),
    )
    return [
      Help.prototype.formatHelp.call(helper, command, helper),
      ...helper.formatItemList('Stores:', stores, helper),
      ...sections,
    ].join('\n')
  }
  for (const command of [program, ...program.commands])
    command.configureHelp({ ...command.configureHelp(), formatHelp })
}

const syntaxOf = ({ value }: LoadedBackend): string => value.urlSyntax.join(', ')

/** `posix: and file:` */
export function schemesOf({ value }: LoadedBackend): string {
  return value.schemes.map((scheme) => `${scheme}:`).join(' and ')
}
