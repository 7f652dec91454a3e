// Copyright 2026 the ioq authors. MIT license.

/**
 * Deno's file permissions, which system calls made through FFI would bypass.
 *
 * @module
 */

import { resolve } from "node:path";
import { pathText } from "./path.ts";

/** An operation reads what is at its path. */
export const READ = 1;
/** An operation changes what is at its path. */
export const WRITE = 2;

/** What an operation does to its path: {@linkcode READ} and {@linkcode WRITE}, or neither. */
export type Access = number;

/**
 * The status of the whole permission. Deno keeps this object up to date when the
 * permission is granted or revoked, so asking it costs nanoseconds, whereas a
 * query for a path takes over a microsecond.
 */
const blanket: { [name in Deno.PermissionName]?: Deno.PermissionStatus } = {};

/** What `--allow-all` grants. */
const ALL = ["read", "write", "env", "net", "run", "ffi", "sys"] as const;

function isBlanket(name: (typeof ALL)[number]): boolean {
  const status = blanket[name] ??= Deno.permissions.querySync({ name });
  // With --deny-read=PATH beside --allow-read it is granted, but in part
  return status.state === "granted" && !status.partial;
}

/**
 * Whether a path goes into something and up again. The check takes `a/../b` for
 * `b`, whereas the kernel follows `a` if it is a symbolic link. (Deno's own calls
 * open what was checked, but that may not be the file that was meant.)
 */
function goesBack(path: string): boolean {
  let inside = false;
  for (const part of path.split("/")) {
    if (part === ".." && inside) {
      return true;
    }
    inside ||= part !== "" && part !== "." && part !== "..";
  }
  return false;
}

/** Folders whose files tell or do more than files do, and what is harmless there. */
const SPECIAL = /^\/(?:proc|sys|dev)(?:\/|$)/;
const HARMLESS = /^\/dev\/(?:null|zero|random|urandom|tty)$/;

/** The same somewhere in a path whose beginning nobody knows. */
const SPECIAL_INSIDE = /(?:^|\/)(?:proc|sys|dev)(?:\/|$)/;

/** Whether a path may lead into such a folder: told cheaply, and rather too often. */
function mayBeSpecial(path: string | Uint8Array, relative: boolean): boolean {
  if (relative || typeof path !== "string" || path.charCodeAt(0) !== 0x2f) {
    return true;
  }
  return SPECIAL.test(path) || path.includes("//") || path.includes("/.");
}

/** As Deno does, ask for all permissions for a path that leads into such a folder. */
function checkSpecial(path: string, relative: boolean): void {
  const resolved = relative ? path : resolve(path);
  const special = relative
    ? SPECIAL_INSIDE.test(path)
    : SPECIAL.test(resolved) && !HARMLESS.test(resolved);
  if (special) {
    throw new Deno.errors.NotCapable(
      `Requires all access to "${resolved}", run again with the --allow-all flag`,
    );
  }
}

function check(
  name: "read" | "write",
  path: string | Uint8Array,
  relative: boolean,
  given: string,
): void {
  if (isBlanket(name)) {
    return;
  }
  const text = pathText(path);
  // A path that is relative to a descriptor may be anywhere: only all will do.
  // So may bytes that no text stands for.
  const exact = typeof path === "string" || !text.includes("\ufffd");
  const descriptor = relative || !exact || goesBack(given) ? { name } : { name, path: text };
  // As Deno's own calls do, this asks the user if someone is there to answer
  if (Deno.permissions.requestSync(descriptor).state !== "granted") {
    throw new Deno.errors.NotCapable(
      `Requires ${name} access to "${given}", run again with the --allow-${name} flag`,
    );
  }
}

/**
 * Check that a path may be accessed.
 *
 * @param path The path.
 * @param access What is done to it.
 * @param relative Whether the path is relative to a directory descriptor.
 * @param given The path as the caller gave it, for messages: the path is its absolute form.
 * @throws {Deno.errors.NotCapable} If a permission is missing.
 */
export function checkAccess(
  path: string | Uint8Array,
  access: Access,
  relative: boolean,
  given: string | Uint8Array = path,
): void {
  if (mayBeSpecial(path, relative) && !ALL.every(isBlanket)) {
    checkSpecial(pathText(path), relative);
  }
  if (access & READ) {
    check("read", path, relative, pathText(given));
  }
  if (access & WRITE) {
    check("write", path, relative, pathText(given));
  }
}

/** Whether nothing is forbidden, so that it does not matter where a path leads. */
export function isAllAllowed(): boolean {
  return ALL.every(isBlanket);
}

/**
 * Check that FFI is allowed without restriction.
 *
 * @throws {Deno.errors.NotCapable} If it is not.
 */
export function checkFfi(what: string): void {
  if (!isBlanket("ffi")) {
    throw new Deno.errors.NotCapable(
      `Requires unscoped ffi access for ${what}, run again with the --allow-ffi flag`,
    );
  }
}

/**
 * Check that everything is allowed.
 *
 * @throws {Deno.errors.NotCapable} If something is not.
 */
export function checkAll(what: string): void {
  if (!ALL.every(isBlanket)) {
    throw new Deno.errors.NotCapable(
      `Requires all access for ${what}, run again with the --allow-all flag`,
    );
  }
}

/**
 * Check that a symbolic link may be made. As for Deno that takes all of both
 * permissions: it opens a way to wherever it points.
 *
 * @param path The link.
 * @throws {Deno.errors.NotCapable} If a permission is missing.
 */
export function checkAccessForSymlink(path: string | Uint8Array): void {
  try {
    checkAccess(path, READ | WRITE, true);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) {
      throw error;
    }
    throw new Deno.errors.NotCapable(
      "op.symlink() requires unscoped --allow-read and --allow-write permissions; " +
        "path-scoped grants (e.g. --allow-write=<path>) are not supported because " +
        "a symlink's target is only resolved when the link is traversed",
    );
  }
}

/**
 * Whether everything below a path may be read, so that nothing there need be
 * asked for one by one.
 *
 * @param path The path, or bytes that stand for it.
 */
export function mayReadAllBelow(path: string | Uint8Array): boolean {
  if (ALL.every(isBlanket)) {
    return true;
  }
  // Folders in which everything takes all permissions are right below "/", and
  // wherever else they are mounted nobody looks
  if (typeof path !== "string" || resolve(path) === "/") {
    return false;
  }
  const { state, partial } = Deno.permissions.querySync({ name: "read", path });
  return state === "granted" && !partial;
}
