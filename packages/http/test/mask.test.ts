import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { masked, quotable } from '../src/mask.js'

describe('what a server says', () => {
  it('is quoted short, on one line, and without the secrets that it may hold', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 2000 }),
        fc.string({ minLength: 8, maxLength: 40 }),
        (text, secret) => {
          fc.pre(!'***…'.includes(secret) && !text.includes(secret))
          const quoted = quotable(`${text} ${secret} ${text}`, [secret])
          assert.ok(quoted.length <= 301)
          assert.ok(!quoted.includes(secret))
          assert.ok(!/[\n\r\0]/.test(quoted))
        },
      ),
    )
  })
})

const secret = 'Se<cr&et"1'
const service = 'other-secret'

describe('masked()', () => {
  it('leaves nothing of a secret that begins with another one', () => {
    assert.equal(masked('a pass b password', ['pass', 'password', '']), 'a *** b ***')
  })

  it('masks the forms of HTML, JSON and URLs', () => {
    const written = [
      'Se&lt;cr&amp;et&quot;1',
      'Se&lt;cr&amp;et"1',
      'Se<cr&et\\"1',
      'Se%3Ccr%26et%221',
      service,
    ]
    assert.equal(masked(written.join(' '), [secret, service]), '*** *** *** *** ***')
  })
})
