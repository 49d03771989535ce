import { BackupError } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { storeError } from '../src/errors.js'

const codes = {
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'QUOTA_EXCEEDED',
  EFBIG: 'QUOTA_EXCEEDED',
  EROFS: 'STORE_READONLY',
  EACCES: 'FORBIDDEN',
  EPERM: 'FORBIDDEN',
  ELOOP: 'FORBIDDEN',
  EISDIR: 'NOT_A_FILE',
  ENOTDIR: 'NOT_A_FILE',
  ENAMETOOLONG: 'OPTION_INVALID',
  ESTALE: 'STORE_UNAVAILABLE',
  EMFILE: 'STORE_UNAVAILABLE',
  EIO: 'STORE_FAILED',
  EWHATEVER: 'STORE_FAILED',
}

describe('a system error', () => {
  for (const [errno, code] of Object.entries(codes)) {
    it(`${errno} is ${code}, with the object, the errno, what to do, and its cause`, () => {
      const cause = Object.assign(new Error('no'), { code: errno })
      const error = storeError(cause, { action: 'write the object', container: 'c', objectName: 'x' })
      expect(error).toMatchObject({ code, cause, details: { container: 'c', objectName: 'x' } })
      expect(error.message).toContain(`Cannot write the object "x" in "c" (${errno}). `)
    })
  }

  it('ENOENT is what the call says that it means', () => {
    const cause = Object.assign(new Error('no'), { code: 'ENOENT' })
    expect(storeError(cause, { action: 'read', missing: 'OBJECT_MISSING' }).code).toBe('OBJECT_MISSING')
    expect(storeError(cause, { action: 'write', missing: 'CONTAINER_MISSING' }).code).toBe(
      'CONTAINER_MISSING',
    )
    expect(storeError(cause, { action: 'list' }).code).toBe('STORE_FAILED')
  })

  it('that is a BackupError already passes as it is', () => {
    const error = new BackupError('ABORTED', 'Stopped.')
    expect(storeError(error, { action: 'write' })).toBe(error)
  })

  it('that is no error at all is kept as the cause', () => {
    expect(storeError('odd', { action: 'write' })).toMatchObject({ code: 'STORE_FAILED', cause: 'odd' })
  })
})
