/** Whether the PACKAGE of `NAME=PACKAGE` is the path of a module, and not the name of a package. */
export function isModulePath(text: string): boolean {
  return /^\.{1,2}[\\/]|^[\\/]|^[a-z]:[\\/]/i.test(text)
}
