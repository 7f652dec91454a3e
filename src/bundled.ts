// Copyright 2026 the ioq authors. MIT license.

/**
 * Whether this program is a bundle. One has no files of what Workers run: beside it there may be
 * anything, and a Worker that ran the bundle itself would run the whole program once more.
 *
 * @module
 */

/** Why no Worker may be started, if this is a bundle. */
export const BUNDLED = "a bundle has no file of what Workers run";

/**
 * Whether a module is in a bundle.
 *
 * @param url Its `import.meta.url`.
 * @param name What its file is called, without its ending.
 */
export function isBundled(url: string, name: string): boolean {
  return /([^/]*)\.[^/.]*$/.exec(new URL(url).pathname)?.[1] !== name;
}
