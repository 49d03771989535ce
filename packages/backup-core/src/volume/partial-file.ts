import { createHash, randomBytes } from 'node:crypto'
import { opendir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { nameBeside } from './beside-name.js'
import { errnoOf } from './file-errors.js'
import { ownIdentity, stateOf } from './process-identity.js'
import type { ProcessIdentity, ProcessState } from './process-identity.js'
import type { TargetRequirements } from './volume.js'

/** The end of a temporary name: which process made it, and a part of its own. */
const ownedSuffix = /stowage-([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})-([0-9]+)-([0-9]+)-[0-9a-f]{12}\.partial$/

/** That of releases that did not note the process. */
const anonymousSuffix = /stowage-[0-9a-f]{12}\.partial$/

/** The temporary name of a file that this process restores. Another process can see from it whether this one still runs. */
export async function partialPathOf(finalPath: string): Promise<string> {
  const own = await ownIdentity()
  const { place, boot, namespace } = digestsOf(own)
  const owner = `${place}${boot}${namespace}-${own.pid}-${own.started === '' ? '0' : own.started}`
  const suffix = `stowage-${owner}-${randomBytes(6).toString('hex')}.partial`
  return join(dirname(finalPath), nameBeside(basename(finalPath), suffix))
}

/**
 * Removes the temporary files that killed restores into `finalPath` left, as far as their processes are known to have
 * ended, and names the others. A failure here does not fail the restore.
 */
export async function removeLeftPartials(finalPath: string, warn: TargetRequirements['warn']): Promise<void> {
  for (const name of await partialNamesOf(finalPath)) {
    const path = join(dirname(finalPath), name)
    const state = await stateOfOwner(name)
    if (state === 'alive') continue
    const removal = state === 'dead' ? await unlink(path).catch((error: unknown) => errnoOf(error) ?? '') : ''
    if (removal === 'ENOENT') continue
    warn?.(
      'RESTORE_INCOMPLETE',
      removal === undefined
        ? `An earlier restore into ${finalPath} did not finish: the ${path} that it left was removed.`
        : `Another restore into ${finalPath} has left ${path}, or still writes it. Remove it if no restore runs any more.`,
    )
  }
}

async function partialNamesOf(finalPath: string): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const entry of await opendir(dirname(finalPath))) {
      const suffix = (ownedSuffix.exec(entry.name) ?? anonymousSuffix.exec(entry.name))?.[0]
      if (suffix === undefined || !entry.isFile()) continue
      if (entry.name === nameBeside(basename(finalPath), suffix)) names.push(entry.name)
    }
  } catch {
    // A directory may be written to, and not be listed.
  }
  return names
}

async function stateOfOwner(name: string): Promise<ProcessState> {
  const [, place, boot, namespace, pid, started] = ownedSuffix.exec(name) ?? []
  if (place === undefined) return 'unknown'
  const own = await ownIdentity()
  const digests = digestsOf(own)
  if (place !== digests.place) return 'unknown'
  const [ownBoot = '', ownNamespace = ''] = own.pidScope.split(' ')
  const isSameBoot = boot === digests.boot
  // Another boot or namespace than this process's has no name here; what it is called does not matter.
  const pidScope = `${isSameBoot ? ownBoot : 'other'} ${namespace === digests.namespace ? ownNamespace : 'other'}`
  return stateOf({
    ...own,
    pid: Number(pid),
    pidScope: pidScope.trim(),
    started: started === '0' ? '' : (started ?? ''),
  })
}

function digestsOf({ host, machine, pidScope }: ProcessIdentity): {
  readonly place: string
  readonly boot: string
  readonly namespace: string
} {
  const [boot = '', namespace = ''] = pidScope.split(' ')
  return { place: digestOf(`${host}\n${machine}`), boot: digestOf(boot), namespace: digestOf(namespace) }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
