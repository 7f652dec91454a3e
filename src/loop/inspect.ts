// Copyright 2026 the ioq authors. MIT license.

/**
 * How objects are printed by `console.log()`: what a person wants to know of them, which
 * mostly is kept in private fields and getters.
 *
 * @module
 */

/** Prints a value, as the runtime does. */
export type Inspect = (value: unknown, options?: Deno.InspectOptions) => string;

/**
 * What `Symbol.for("Deno.customInspect")` of a class returns.
 *
 * @param name The class.
 * @param fields What to tell of the object.
 * @param inspect What the runtime hands over to print fields with.
 * @param options How it prints.
 */
export function printed(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  inspect: Inspect = Deno.inspect,
  options?: Deno.InspectOptions,
): string {
  return `${name} ${inspect(fields, options)}`;
}
