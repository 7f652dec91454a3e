// Copyright 2026 the ioq authors. MIT license.

/**
 * The roots of trees that are changed: paths that are not to be led elsewhere by a
 * slash at their end, which has the kernel follow a symbolic link even where it was
 * told not to.
 *
 * @module
 */

const SLASH = 0x2f;

/** A path without the slashes at its end, unless it is nothing else. */
export function withoutSlashes(path: string | Uint8Array): string | Uint8Array {
  let end = path.length;
  while (end > 1 && (path[end - 1] === "/" || path[end - 1] === SLASH)) {
    end--;
  }
  return end === path.length ? path : path.slice(0, end);
}

/** The names that a path is made of. */
export function splitPath(path: string | Uint8Array): (string | Uint8Array)[] {
  if (typeof path === "string") {
    return path.split("/");
  }
  const names: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i === path.length || path[i] === SLASH) {
      names.push(path.subarray(start, i));
      start = i + 1;
    }
  }
  return names;
}
