// Copyright 2026 the ioq authors. MIT license.

/**
 * What the `fallback` suite and its processes have in common.
 *
 * @module
 */

const FILES_MAX = 512;

const files = new Map<string, string[]>();

/** Remember what a function makes of a path: it is not what is measured. */
function once(path: string, make: () => string[]): string[] {
  let found = files.get(path);
  if (found === undefined) {
    found = make();
    files.set(path, found);
  }
  return found;
}

/** Files of a directory, to be asked for over and over. */
export function filesOf(directory: string): readonly string[] {
  return once(
    directory,
    () =>
      [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile).slice(0, FILES_MAX)
        .map(({ name }) => `${directory}/${name}`),
  );
}

/** The paths that a file lists, a line for each. */
export function linesOf(path: string): readonly string[] {
  return once(path, () => Deno.readTextFileSync(path).trimEnd().split("\n"));
}
