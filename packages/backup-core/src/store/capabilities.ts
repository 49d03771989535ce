import type {
  DriverCapabilities,
  ObjectReader,
  ObjectStore,
  ObjectWriter,
} from '../contracts/object-store.js'
import { BackupError } from '../errors/backup-error.js'

/** The hooks that a driver overrides to have a capability. */
const hooks = {
  containerListing: 'getContainers',
  modificationTimes: 'objectModifiedAt',
  temporaryObjects: 'removeTemporaries',
  localFiles: 'ownsPath',
} as const satisfies Partial<Record<keyof DriverCapabilities, keyof ObjectStore>>

/**
 * Refuses a driver that overrides a hook without declaring its capability, or declares it without overriding the hook.
 *
 * @param base - has the hooks as they are where they are not overridden
 * @throws BackupError `OPTION_INVALID`
 */
export function assertDeclared(driver: ObjectStore, base: ObjectStore): void {
  for (const [capability, hook] of Object.entries(hooks) as [keyof typeof hooks, keyof ObjectStore][]) {
    const owner = `The driver ${driver.constructor.name}`
    assertBoth(owner, capability, driver.capabilities, `${hook}()`, driver[hook] !== base[hook])
  }
}

/** Refuses a reader whose methods are not those that the driver's capabilities declare. */
export function assertDeclaredReader(reader: ObjectReader, capabilities: DriverCapabilities): void {
  assertBoth(
    'A reader of the driver',
    'streamingReads',
    capabilities,
    'stream()',
    reader.stream !== undefined,
  )
  assertBoth(
    'A reader of the driver',
    'rangedReads',
    capabilities,
    'readRange()',
    reader.readRange !== undefined,
  )
}

/** Refuses a writer whose methods are not those that the driver's capabilities declare. */
export function assertDeclaredWriter(writer: ObjectWriter, capabilities: DriverCapabilities): void {
  assertBoth(
    'A writer of the driver',
    'streamingBodies',
    capabilities,
    'writeFrom()',
    writer.writeFrom !== undefined,
  )
}

function assertBoth(
  owner: string,
  capability: keyof DriverCapabilities,
  capabilities: DriverCapabilities,
  method: string,
  hasMethod: boolean,
): void {
  const isDeclared = capabilities[capability] === true
  if (isDeclared === hasMethod) return
  const fault = isDeclared
    ? `has no ${method}, although the capability ${capability} is declared. Implement ${method}, or remove the capability.`
    : `has ${method}, but the capability ${capability} is not declared. Declare it, or remove ${method}.`
  throw new BackupError('OPTION_INVALID', `${owner} ${fault}`)
}
