import { readCinderConf } from '@stowage/cinder-conf'
import { cinderOptions, type CinderS3Options } from './options.js'

/**
 * Reads the options of a `cinder.conf`: the flags of `[DEFAULT]`. Returns only what the file sets; the driver fills in the
 * defaults.
 *
 * @param textOrPath - the text (it has a line break, or begins with a group), or the path of the file
 * @throws `CONFIG_INVALID` with the line or the flag
 */
export function fromCinderConf(textOrPath: string): CinderS3Options {
  return readCinderConf(textOrPath, cinderOptions).options
}
