export * from '../../compression-bzip2-streams/test/golden.js'
