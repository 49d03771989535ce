import { describe, expect, it } from 'vitest'
import { globalModuleFolders, moduleFoldersFrom } from '../src/plugins/search-folders.js'

describe('the folders in which packages are searched', () => {
  it('are those of Node.js for a module in a folder', () => {
    expect(moduleFoldersFrom('/srv/app/node_modules/x')).toEqual([
      '/srv/app/node_modules/x/node_modules',
      '/srv/app/node_modules',
      '/srv/node_modules',
      '/node_modules',
    ])
  })

  it.each([
    ['/opt/node/bin/node', {}, ['/opt/node/lib/node_modules']],
    // Debian's npm.
    ['/usr/bin/node', {}, ['/usr/lib/node_modules', '/usr/local/lib/node_modules']],
    [
      '/opt/node/bin/node',
      { npm_config_prefix: '/home/me/.npm', NODE_PATH: '/a:/b' },
      ['/a', '/b', '/home/me/.npm/lib/node_modules', '/opt/node/lib/node_modules'],
    ],
  ])('are those of the global installation of npm: %s %j', (execPath, env, folders) => {
    expect(globalModuleFolders(env, { execPath, platform: 'linux' })).toEqual(folders)
  })
})
