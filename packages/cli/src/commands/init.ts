import type { CreatedStore } from '@stowage/backup-core'
import type { Command } from 'commander'
import type { Invoke } from '../command-context.js'
import type { GlobalOptions } from '../options/global-options.js'

const examples = `
Creates the directory if it does not exist, and marks it with the file .stowage-store, which Cinder ignores. Every other
command rejects a directory that is not a store, such as the mount point of a disk that is not mounted.

Examples:
  $ stowage init --store posix:/backups`

const sentences: Readonly<Record<CreatedStore['outcome'], (store: string) => string>> = {
  created: (store) => `Made a store at ${store}.`,
  marked: (store) => `Marked ${store}, which holds backups, as a store.`,
  unchanged: (store) => `${store} is a store already. Nothing was changed.`,
  ready: (store) => `The store ${store} is ready.`,
}

/** `stowage init` */
export function addInitCommand(program: Command, invoke: Invoke): void {
  program
    .command('init')
    .description('Make a store: a directory or a container. Does not change an existing one.')
    .addHelpText('after', examples)
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      await invoke(options, async ({ withStore, output, signal }) => {
        const { outcome } = await withStore((driver) => driver.createStore({ signal }))
        const store = options.store ?? ''
        output.result({ json: { store, outcome }, human: `${sentences[outcome](store)}\n` })
      })
    })
}
