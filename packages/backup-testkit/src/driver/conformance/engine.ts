import type {
  BackupRecord,
  BackupRequest,
  BackupResult,
  BackupSource,
  ChunkedBackupDriver,
} from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import type { Fixture } from './fixture.js'
import { MemoryTarget } from './memory-target.js'
import { Place } from './place.js'

/** Whole backups of one volume, as a user makes them. */
export class VolumeBackups {
  readonly volumeId = randomUUID()

  constructor(
    private readonly fixture: Fixture,
    readonly driver: ChunkedBackupDriver = fixture.driver,
    readonly container: string = fixture.defaultContainer,
  ) {}

  /** A backup of these bytes. */
  backup(source: BackupSource, request: Partial<BackupRequest> = {}): Promise<BackupResult> {
    return this.driver.backup({ volumeId: this.volumeId, container: this.container, ...request }, source)
  }

  /** What a backup restores to, in a new target and by another driver. */
  async restore(backup: BackupRecord): Promise<Uint8Array> {
    const target = new MemoryTarget()
    await (await this.fixture.open()).restore(backup, target)
    return target.bytes
  }

  /** Where the objects of a backup are. */
  async placeOf(backup: BackupRecord): Promise<Place> {
    const extraMetadata = await this.driver.getExtraMetadata(
      this.fixture.newBackup({ id: backup.id, volumeId: this.volumeId, container: backup.container }),
    )
    return new Place(this.driver, backup.container, backup.prefix, extraMetadata)
  }
}
