// Copyright 2026 the ioq authors. MIT license.

/**
 * The roots of trees that are changed: paths that are not to be led elsewhere by a
 * slash at their end, which has the kernel follow a symbolic link even where it was
 * told not to.
 *
 * @module
 */

import { dirname } from "../posix_path.ts";

const SLASH = 0x2f;
const DOT = 0x2e;

/** A path without the slashes at its end, unless it is nothing else. */
export function withoutSlashes(path: string | Uint8Array): string | Uint8Array {
  let end = path.length;
  while (end > 1 && (path[end - 1] === "/" || path[end - 1] === SLASH)) {
    end--;
  }
  return end === path.length ? path : path.slice(0, end);
}

/** What the last name of a path is, without the slashes after it, if it is a dot or two. */
function dotsOf(path: string | Uint8Array): 0 | 1 | 2 {
  const whole = withoutSlashes(path);
  const isDot = (at: number) => whole[at] === "." || whole[at] === DOT;
  const isStart = (at: number) => at === 0 || whole[at - 1] === "/" || whole[at - 1] === SLASH;
  const end = whole.length;
  if (end === 0 || !isDot(end - 1)) {
    return 0;
  }
  return isStart(end - 1) ? 1 : isDot(end - 2) && isStart(end - 2) ? 2 : 0;
}

/**
 * Whether a path does not name a directory, but goes through it, as `link/.` and `link/..`
 * do: nothing can be removed by such a path, and what is in it may be elsewhere.
 */
export function endsInDots(path: string | Uint8Array): boolean {
  return dotsOf(path) !== 0;
}

/** A path without slashes and single dots at its end, which have the kernel follow a link. */
export function withoutDots(path: string | Uint8Array): string | Uint8Array {
  let whole = withoutSlashes(path);
  while (whole.length > 1 && dotsOf(whole) === 1) {
    whole = withoutSlashes(whole.slice(0, -1));
  }
  return whole;
}

/** The path of what something is to be made in. */
export function parentOf(path: string | Uint8Array): string | Uint8Array {
  if (typeof path === "string") {
    return dirname(path);
  }
  let end = path.length;
  while (end > 1 && path[end - 1] === SLASH) {
    end--;
  }
  const slash = path.subarray(0, end).lastIndexOf(SLASH);
  return slash < 0 ? "." : path.subarray(0, Math.max(1, slash));
}

/** Whether a normalized path is another one, or below it: both text, or both bytes. */
export function isWithin(path: string | Uint8Array, above: string | Uint8Array): boolean {
  const end = above.length === 1 ? 0 : above.length;
  for (let i = 0; i < end; i++) {
    if (path[i] !== above[i]) {
      return false;
    }
  }
  return path.length === above.length || path[end] === "/" || path[end] === SLASH;
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
