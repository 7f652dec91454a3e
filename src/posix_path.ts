// Copyright 2026 the ioq authors. MIT license.

/**
 * Paths as texts, taken apart: as `node:path/posix` does it, which takes 6 ms to load.
 *
 * @module
 */

const SLASH = 0x2f;

/** Where a path ends, slashes at its end left out; 0 if it has nothing else. */
function endOf(path: string): number {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === SLASH) {
    end--;
  }
  return end;
}

/** The last name of a path: `c` of `/a/b/c/`, nothing of `/`. */
export function basename(path: string): string {
  const end = endOf(path);
  return path.slice(end === 0 ? 0 : path.lastIndexOf("/", end - 1) + 1, end);
}

/** What a path's last name is in: `/a/b` of `/a/b/c/`, `.` of a name alone, `/` of `/`. */
export function dirname(path: string): string {
  const end = endOf(path);
  if (end === 0) {
    return path.length > 0 ? "/" : ".";
  }
  const slash = path.lastIndexOf("/", end - 1);
  if (slash < 0) {
    return ".";
  }
  // Of two slashes at the beginning Node keeps both
  return slash === 0 ? "/" : slash === 1 && path.startsWith("//") ? "//" : path.slice(0, slash);
}

/** A path without `.`, without `..` as far as there is a name before it, and empty names. */
export function normalize(path: string): string {
  const isAbsolute = path.startsWith("/");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") {
      continue;
    }
    if (name !== ".." || (names.length === 0 ? !isAbsolute : names.at(-1) === "..")) {
      names.push(name);
    } else {
      names.pop();
    }
  }
  const end = path.endsWith("/") ? "/" : "";
  const text = names.join("/");
  return isAbsolute ? text === "" ? "/" : `/${text}${end}` : (text === "" ? "." : text) + end;
}
