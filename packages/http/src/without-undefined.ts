/** An object without its undefined fields: an optional field of this code is absent, never undefined. */
export function withoutUndefined<T extends object>(
  fields: T,
): { [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined> } & {
  [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key]
} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof withoutUndefined<T>
  >
}
