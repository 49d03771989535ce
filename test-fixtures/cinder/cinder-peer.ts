import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const python = '/usr/bin/python3'
const peerScript = fileURLToPath(new URL('peer.py', import.meta.url))

/** Where the peer's driver keeps its objects. */
export type PeerStore =
  | { readonly driver: 'posix'; readonly path: string }
  | { readonly driver: 'swift'; readonly swiftUrl: string; readonly token: string }
  | {
      readonly driver: 's3'
      readonly endpoint: string
      readonly accessKeyId: string
      readonly secretAccessKey: string
    }

/** Options of any command of the peer, as `cinder.conf` would set them. */
export interface PeerOptions {
  readonly compression?: string | undefined
  readonly chunkSizeBytes?: number | undefined
  readonly blockSizeBytes?: number | undefined
  /** Freezes the clock: `2026-01-02T03:04:05`, in UTC. */
  readonly now?: string | undefined
  /** Any option of cinder.conf, by its own name. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

/** What describes a backup. */
export interface PeerBackup extends PeerOptions {
  readonly backupId: string
  readonly volumeId: string
  readonly parentId?: string | null | undefined
  readonly container?: string | null | undefined
  readonly name?: string | null | undefined
  readonly description?: string | null | undefined
  readonly volumeMeta?: string | null | undefined
  readonly sizeGib?: number | undefined
}

/** Where a backup is. */
export interface PeerBackupPlace {
  readonly backupId: string
  readonly prefix: string
  readonly container: string
  readonly objectCount: number
}

/** What Cinder would have put back into its database of volumes. */
export interface PeerVolumeMetadata {
  readonly base: Record<string, unknown>
  readonly volume: Record<string, unknown>
  readonly glance: Record<string, unknown>
}

/** A failure inside Cinder: `type` is the name of its exception. */
export class CinderFailure extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(`${type}: ${message}`)
    this.name = 'CinderFailure'
    this.type = type
  }
}

function placeOf(store: PeerStore): string[] {
  switch (store.driver) {
    case 'posix':
      return [`--path=${store.path}`]
    case 'swift':
      return [`--swift-url=${store.swiftUrl}`, `--token=${store.token}`]
    case 's3':
      return [
        `--s3-endpoint=${store.endpoint}`,
        `--set=backup_s3_store_access_key=${store.accessKeyId}`,
        `--set=backup_s3_store_secret_key=${store.secretAccessKey}`,
      ]
  }
}

/** Cinder's backup driver in a process of its own, with one store and one catalogue. */
export class CinderPeer implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>
  readonly #common: readonly string[]
  #stderr = ''
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(stateDirectory: string, store: PeerStore) {
    this.#common = [`--state=${stateDirectory}`, `--driver=${store.driver}`, ...placeOf(store)]
    this.#process = spawn(python, [peerScript, 'serve'], { stdio: 'pipe' })
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000)
    })
    this.#lines = createInterface({ input: this.#process.stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** Starts Cinder, which takes some seconds. `stateDirectory` holds the catalogue of backups. */
  static async start(stateDirectory: string, store: PeerStore): Promise<CinderPeer> {
    const peer = new CinderPeer(stateDirectory, store)
    await peer.#next()
    return peer
  }

  /** Backs a file up. */
  async backup(backup: PeerBackup, file: string): Promise<PeerBackupPlace> {
    return (await this.#run('backup', ...describe(backup), `--file=${file}`)) as PeerBackupPlace
  }

  /** Restores a backup and its chain into a file. */
  async restore(backupId: string, file: string): Promise<PeerVolumeMetadata> {
    const answer = await this.#run('restore', `--backup-id=${backupId}`, `--file=${file}`)
    return (answer as { volumeMetadata: PeerVolumeMetadata }).volumeMetadata
  }

  /** Deletes a backup. */
  async delete(backupId: string): Promise<void> {
    await this.#run('delete', `--backup-id=${backupId}`)
  }

  /** Takes note of a backup that another program wrote, at this place. */
  async adopt(backup: PeerBackup, prefix: string): Promise<void> {
    await this.#run('import', ...describe(backup), `--prefix=${prefix}`)
  }

  /** `cinder backup-export`. */
  async encodeRecord(backupId: string): Promise<{ backupService: string; backupUrl: string }> {
    const answer = await this.#run('encode-record', `--backup-id=${backupId}`)
    return answer as { backupService: string; backupUrl: string }
  }

  /** `cinder backup-import`; with `keep`, the peer knows the backup from then on. */
  async decodeRecord(record: string, options: { keep?: boolean } = {}): Promise<Record<string, unknown>> {
    const keep = options.keep === true ? ['--keep'] : []
    const answer = await this.#run('decode-record', `--record=${record}`, ...keep)
    return (answer as { record: Record<string, unknown> }).record
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise<void>((resolve) =>
      this.#process.once('exit', () => {
        resolve()
      }),
    )
    this.#process.stdin.end()
    await ended
    this.#lines.close()
  }

  async #run(command: string, ...options: string[]): Promise<unknown> {
    // One request at a time: the answers carry no number.
    const turn = this.#turn.then(() => this.#ask([command, ...this.#common, ...options]))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #ask(request: readonly string[]): Promise<unknown> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`)
    const answer = (await this.#next()) as { error?: { type: string; message: string } }
    if (answer.error) throw new CinderFailure(answer.error.type, answer.error.message)
    return answer
  }

  async #next(): Promise<unknown> {
    const line = await this.#answers.next()
    if (line.done === true) throw new Error(`Cinder's process ended. Its last words: ${this.#stderr}`)
    return JSON.parse(line.value)
  }
}

function describe(backup: PeerBackup): string[] {
  const options: Record<string, string | number | null | undefined> = {
    'backup-id': backup.backupId,
    'volume-id': backup.volumeId,
    parent: backup.parentId,
    container: backup.container,
    name: backup.name,
    description: backup.description,
    'volume-meta': backup.volumeMeta,
    'size-gib': backup.sizeGib,
    compression: backup.compression,
    'chunk-size': backup.chunkSizeBytes,
    'block-size': backup.blockSizeBytes,
    now: backup.now,
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null)
  const settings = Object.entries(backup.settings ?? {}).map(([name, value]) => `--set=${name}=${value}`)
  return [...given.map(([name, value]) => `--${name}=${String(value)}`), ...settings]
}
