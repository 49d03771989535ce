export { engineOptions, withConf, type FlaggedOptions } from './engine-options.js'
export {
  booleanFlag,
  choiceFlag,
  commonFlags,
  integerFlag,
  isTrue,
  secondsFlag,
  textFlag,
  type AnyCinderFlag,
  type CinderFlag,
  type CinderFlagTable,
  type FlagDetails,
} from './flags.js'
export { OsloConf, type KnownDefaults } from './oslo-conf.js'
export { readCinderConf, type CinderConf } from './read-conf.js'
export { zonedObjectNamePrefix } from './names.js'
