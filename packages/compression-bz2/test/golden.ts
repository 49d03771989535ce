export * from '../../compression-shared/test/golden.js'
