// Copyright 2026 the ioq authors. MIT license.

/**
 * Refusing options that there are not: `maxdepth` for `maxDepth` would otherwise walk
 * all of a tree, or remove it, without a word.
 *
 * @module
 */

/**
 * Check the names of options.
 *
 * @param options What the caller gave.
 * @param known The names that there are.
 * @param verb What the options are for.
 * @throws {TypeError} If there is another one, or they are no options.
 */
export function checkOptionNames(options: object, known: readonly string[], verb: string): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Expected options to be an object, got ${options}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const lower = name.toLowerCase();
      const meant = known.find((it) => it.toLowerCase() === lower);
      throw new TypeError(
        `Unknown option '${name}' of ${verb}` +
          (meant === undefined ? `, expected some of ${known.join(", ")}` : `, it is '${meant}'`),
      );
    }
  }
}
