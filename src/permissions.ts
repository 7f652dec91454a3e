// Copyright 2026 the ioq authors. MIT license.

/**
 * Deno's file permissions, which system calls made through FFI would bypass: the one
 * place that decides whether something may be done at a path.
 *
 *     all is granted ──────────────▶ yes      known for a turn, in nanoseconds
 *     the path's folder is granted,
 *     and nothing in it denied ────▶ yes      one query
 *     the path is granted ─────────▶ yes      one query more
 *     anything else ───────────────▶ Deno     does it itself, by a call without effect
 *
 * Deno's queries neither ask the user nor change what is granted, whereas a request adds
 * each path to the grants for good. So only what a query does not grant is put to Deno's
 * own calls. They ask the user, or a permission broker, and they know which paths are to
 * be taken for missing.
 *
 * Other threads revoke permissions, and a test may run with fewer of them. So an answer
 * for all paths is good until the next microtask, and an answer for one path is not kept.
 *
 * Deno compares paths after a lexical normalization and opens what it compared: `a/../b`
 * is `b`, also if `a` is a symbolic link. Hence a check gives back the path to use.
 *
 * @module
 */

import { pathText } from "./path.ts";

/** An operation reads what is at its path. */
export const READ = 1;
/** An operation changes what is at its path. */
export const WRITE = 2;

/** What an operation does to its path: {@linkcode READ} and {@linkcode WRITE}, or neither. */
export type Access = number;

/** A permission for files. */
type FileAccess = "read" | "write";

// As they are when this is loaded: programs replace functions of Deno's
const { permissions, lstatSync, makeTempDirSync, symlinkSync, cwd } = Deno;
const querySync = permissions.querySync.bind(permissions);
const { NotCapable, NotFound } = Deno.errors;

/** All permissions: together they are what `--allow-all` grants. */
const ALL = ["read", "write", "env", "net", "run", "ffi", "sys", "import"] as const;

/**
 * What Deno would otherwise take from `Object.prototype`: a path there would stand for all
 * that is asked for.
 */
const OF_ALL = {
  path: undefined,
  command: undefined,
  host: undefined,
  variable: undefined,
  kind: undefined,
};

/** Ask Deno what is granted at a path. */
function query(name: FileAccess, path: string): Deno.PermissionStatus {
  return querySync({ name, path });
}

/**
 * What to ask for each with: a query is a call into the runtime, which takes 1.3 µs, and
 * a third more with an object that is made for it.
 */
const DESCRIPTORS = new Map(
  ALL.map((name) => {
    // Of "import" the types know nothing yet
    const descriptor: object = { name, ...OF_ALL };
    return [name, descriptor as Deno.PermissionDescriptor];
  }),
);

/**
 * The status of each whole permission. Deno keeps them up to date when this thread changes
 * a permission. Otherwise they are as of the last query.
 */
const statuses = new Map<string, Deno.PermissionStatus>();

/** Which of them were asked for in this turn. */
const asked = new Set<string>();

/** Whether a permission broker decides, whatever queries say. */
let brokered = false;

/** Which of the permissions that files do not need is asked for next. */
let next = 0;

function forgetAnswers(): void {
  asked.clear();
}

/** What is known of a whole permission, asked for at most once a turn. */
function statusOf(name: (typeof ALL)[number]): Deno.PermissionStatus {
  let status = statuses.get(name);
  if (status === undefined || !asked.has(name)) {
    status = querySync(DESCRIPTORS.get(name)!);
    statuses.set(name, status);
    if (asked.size === 0) {
      queueMicrotask(forgetAnswers);
    }
    asked.add(name);
  }
  return status;
}

/** Whether a status grants all that it is about: with `--deny-read=PATH` it is partial. */
function isWhole(status: Deno.PermissionStatus): boolean {
  return status.state === "granted" && !status.partial;
}

/** Whether a permission is granted in full. */
function isBlanket(name: (typeof ALL)[number]): boolean {
  return !brokered && isWhole(statusOf(name));
}

/**
 * A permission broker decides from now on: Deno's queries do not ask it, so that every
 * path is put to Deno's own calls.
 */
export function obeyBroker(): void {
  brokered = true;
}

/** Whether all paths may be accessed in a way, those of special files aside. */
export function mayAccessAll(access: Access): boolean {
  return ((access & READ) === 0 || isBlanket("read")) &&
    ((access & WRITE) === 0 || isBlanket("write"));
}

/** Whether nothing is forbidden, so that it does not matter where a path leads. */
export function isAllAllowed(): boolean {
  if (!isBlanket("read") || !isBlanket("write")) {
    return false;
  }
  // The others matter for special files alone. Another thread may revoke one; it is seen
  // a few turns later, for a query of each would cost more than the operation
  next = next < 2 || next === ALL.length ? 2 : next;
  statusOf(ALL[next++]!);
  return ALL.every((name) => isWhole(statuses.get(name) ?? statusOf(name)));
}

/** What the lexical normalization changes. */
const UNTIDY = /\/\/|\/\.{1,2}(?:\/|$)|^\.{1,2}(?:\/|$)|.\/$/;

/** A path as Deno compares it: without `.`, `..`, and empty names. */
export function normalizePath(path: string): string {
  if (!UNTIDY.test(path)) {
    return path;
  }
  const absolute = path.startsWith("/");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") {
      if (names.length > 0 && names[names.length - 1] !== "..") {
        names.pop();
      } else if (!absolute) {
        names.push(name);
      }
    } else if (name !== "" && name !== ".") {
      names.push(name);
    }
  }
  return (absolute ? "/" : "") + names.join("/") || ".";
}

/** The folder that a normalized path is in. */
function folderOf(path: string): string {
  if (path === ".") {
    return "..";
  }
  if (path === ".." || path.endsWith("/..")) {
    return `${path}/..`;
  }
  const slash = path.lastIndexOf("/");
  return slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".";
}

/**
 * Folders of which not all was granted when they were asked for last: there it takes
 * fewer queries to begin with the path. Nothing is decided by it.
 */
const scattered = { read: new Set<string>(), write: new Set<string>() };
/** How many of them are remembered. */
const SCATTERED_MAX = 1024;

/** Whether all that is in a folder is granted, where no special file is. */
function isFolderGranted(name: FileAccess, folder: string): boolean {
  const known = scattered[name];
  if (known.has(folder)) {
    return false;
  }
  const whole = isWhole(query(name, folder));
  if (!whole) {
    if (known.size === SCATTERED_MAX) {
      known.clear();
    }
    known.add(folder);
  }
  return whole;
}

/**
 * Whether a path is granted, without asking anybody. The folder comes first: Deno keeps
 * an object for each path that it was asked for, and folders are fewer.
 */
function isGranted(name: FileAccess, path: string): boolean {
  return isFolderGranted(name, folderOf(path)) ||
    query(name, path).state === "granted";
}

/** Folders whose files tell or do more than files do. */
const SPECIAL = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** Whether Deno looks closer at a normalized path. */
function isSpecial(path: string): boolean {
  if (path.startsWith("/")) {
    return SPECIAL.test(path);
  }
  try {
    return SPECIAL.test(normalizePath(`${cwd()}/${path}`));
  } catch {
    // The current directory may not be told. Deno's own call knows it
    return true;
  }
}

/** @param text The path as it was given, of which Deno shows an absolute one normalized. */
function missing(name: string, given: string): Error {
  const text = given.startsWith("/") ? normalizePath(given) : given;
  return new NotCapable(
    `Requires ${name} access to "${text}", run again with the --allow-${name} flag`,
  );
}

/**
 * Have Deno decide, by a call that does nothing: it asks whoever is to be asked.
 *
 * @throws {Deno.errors.NotCapable} If it is not allowed.
 * @throws {Deno.errors.NotFound} If the path is to be taken for missing.
 */
function askDeno(name: FileAccess, path: string, text: string): void {
  const denied = query(name, path).state === "denied";
  try {
    if (name === "read") {
      lstatSync(path);
    } else {
      // It looks at the directory's permission first, and then at the prefix
      makeTempDirSync({ dir: path, prefix: "/", suffix: "" });
    }
  } catch (error) {
    if (error instanceof TypeError) {
      // It was not Deno's permissions that had their say
      throw error;
    }
    if (error instanceof NotCapable) {
      throw error.message.startsWith("Requires all") ? error : missing(name, text);
    }
    if (denied && error instanceof NotFound) {
      throw Object.assign(new NotFound("No such file or directory (os error 2)"), {
        code: "ENOENT",
      });
    }
  }
}

function check(name: FileAccess, path: string, text: string): void {
  if (isBlanket(name)) {
    return;
  }
  if (brokered || !isGranted(name, path)) {
    askDeno(name, path, text);
  }
}

/** As Deno does, ask for all permissions for a path that leads into such a folder. */
function checkSpecial(path: string, access: Access, text: string): void {
  if (isSpecial(path) && !ALL.every(isBlanket)) {
    if (access & READ) {
      askDeno("read", path, text);
    }
    if (access & WRITE) {
      askDeno("write", path, text);
    }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// What is checked is what is used, whatever decoding becomes meanwhile
const decodeStrictly = decoder.decode.bind(decoder);

/** What bytes stand for, or nothing if they are not UTF-8. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return decodeStrictly(bytes);
  } catch {
    return undefined;
  }
}

/** Each byte as a character, and back: for paths that no text stands for. */
function toCharacters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return text;
}

function fromCharacters(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Check a path that is not UTF-8, which Deno cannot be asked for: it is allowed where all
 * is that is in the nearest folder which can.
 */
function checkBytes(bytes: Uint8Array, access: Access): Uint8Array {
  const normalized = normalizePath(toCharacters(bytes));
  let folder = normalized;
  let text;
  do {
    folder = folderOf(folder);
    text = decode(fromCharacters(folder));
  } while (text === undefined);
  for (const name of ["read", "write"] as const) {
    if ((access & (name === "read" ? READ : WRITE)) !== 0 && !isBlanket(name)) {
      if (brokered || !isWhole(query(name, text))) {
        throw missing(name, pathText(bytes));
      }
    }
  }
  return fromCharacters(normalized);
}

/**
 * Check that a path may be accessed.
 *
 * @param path The path; a relative one counts from the current directory.
 * @param access What is done to it.
 * @param given The path as the caller gave it, for messages: the path is its absolute form.
 * @returns The path to use: normalized, unless everything is granted.
 * @throws {Deno.errors.NotCapable} If a permission is missing.
 * @throws {Deno.errors.NotFound} If the path is to be taken for missing (`--ignore-read`).
 * @throws {Error} If it is empty, and not everything is granted.
 */
export function checkAccess(
  path: string | Uint8Array,
  access: Access,
  given: string | Uint8Array = path,
): string | Uint8Array {
  if (typeof path === "string" && isPlain(path) ? mayAccessAll(access) : isAllAllowed()) {
    // A name that leads into a special file's folder is not plain
    return path;
  }
  const text = typeof path === "string" ? path : decode(path);
  if (text === undefined) {
    const bytes = checkBytes(path as Uint8Array, access);
    checkSpecial(pathText(bytes), access, pathText(given));
    return bytes;
  }
  if (text === "") {
    throw new Error("Empty path is not allowed");
  }
  const normalized = normalizePath(text);
  const shown = pathText(given);
  if (access & READ) {
    check("read", normalized, shown);
  }
  if (access & WRITE) {
    check("write", normalized, shown);
  }
  checkSpecial(normalized, access, shown);
  return normalized === text ? path : normalized;
}

const SLASH = 0x2f;

/**
 * Whether a path is absolute and normalized, and no special file's: told cheaply, and not
 * of every one.
 */
function isPlain(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH || UNTIDY.test(path)) {
    return false;
  }
  const first = path.charCodeAt(1);
  // Of "proc", "sys" and "dev"
  return first !== 0x70 && first !== 0x73 && first !== 0x64 || !SPECIAL.test(path);
}

/**
 * Check that what is at a path may be removed. As Deno does, this takes all permissions
 * nowhere, and a path as it is where nothing is denied to be written.
 *
 * @param path The path.
 * @param recursive Whether with all that is in it.
 * @param given The path as the caller gave it, for messages.
 * @returns The path to use.
 * @throws {Deno.errors.NotCapable} If a permission is missing, also for something below.
 */
export function checkRemoval(
  path: string | Uint8Array,
  recursive: boolean,
  given: string | Uint8Array = path,
): string | Uint8Array {
  if (mayAccessAll(WRITE)) {
    return path;
  }
  const text = typeof path === "string" ? path : decode(path);
  if (text === undefined) {
    return checkBytes(path as Uint8Array, WRITE);
  }
  if (text === "") {
    throw new Error("Empty path is not allowed");
  }
  const normalized = normalizePath(text);
  const shown = pathText(given);
  check("write", normalized, shown);
  if (
    recursive && !brokered && query("write", normalized).partial
  ) {
    throw missing("write", shown);
  }
  return normalized === text ? path : normalized;
}

/**
 * Whether whoever may access a folder may access all that is below it: "all", or each
 * entry is to be asked for, by {@linkcode checkAccess} or {@linkcode mayAccess}. Ask again
 * in each turn.
 *
 * @param path The folder.
 * @param access What is done below it.
 */
export function accessBelow(path: string | Uint8Array, access: Access): "all" | "each" {
  if (mayAccessAll(access) && ALL.every(isBlanket)) {
    return "all";
  }
  const text = typeof path === "string" ? path : decode(path);
  if (brokered || text === undefined || text === "") {
    return "each";
  }
  const normalized = normalizePath(text);
  // Special files are right below "/". Wherever else they are mounted nobody looks
  if (normalized === "/" || isSpecial(normalized) || /^(?:\.\.\/)*\.{1,2}$/.test(normalized)) {
    return "each";
  }
  const whole = (name: FileAccess) => isBlanket(name) || isWhole(query(name, normalized));
  return ((access & READ) === 0 || whole("read")) && ((access & WRITE) === 0 || whole("write"))
    ? "all"
    : "each";
}

/**
 * Whether a path may be accessed, as {@linkcode checkAccess} finds out.
 *
 * @param path The path.
 * @param access What is done to it.
 */
export function mayAccess(path: string | Uint8Array, access: Access): boolean {
  try {
    checkAccess(path, access);
    return true;
  } catch {
    return false;
  }
}

/**
 * What this thread may do on the whole, as a text to be compared: other than a revocation,
 * which all threads see, `Deno.test({ permissions })` changes this thread's alone. Lists of
 * paths are not told apart.
 */
export function permissionsInBrief(): string {
  return ALL.map((name) => {
    const { state, partial } = statusOf(name);
    return `${state}${partial ? " in part" : ""}`;
  }).join();
}

/**
 * Check that FFI is allowed without restriction.
 *
 * @throws {Deno.errors.NotCapable} If it is not.
 */
export function checkFfi(what: string): void {
  if (!isBlanket("ffi")) {
    throw new NotCapable(
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
    throw new NotCapable(
      `Requires all access for ${what}, run again with the --allow-all flag`,
    );
  }
}

/**
 * Check that a symbolic link may be made. As for Deno that takes both permissions
 * without a path: a link opens a way to wherever it points.
 *
 * @throws {Deno.errors.NotCapable} If a permission is missing.
 */
export function checkAccessForSymlink(): void {
  if (mayAccessAll(READ | WRITE)) {
    return;
  }
  const granted = !brokered && statusOf("read").state === "granted" &&
    statusOf("write").state === "granted";
  if (!granted && !isSymlinkAllowed()) {
    throw new NotCapable(
      "op.symlink() requires unscoped --allow-read and --allow-write permissions; " +
        "path-scoped grants (e.g. --allow-write=<path>) are not supported because " +
        "a symlink's target is only resolved when the link is traversed",
    );
  }
}

/** Have Deno decide on symbolic links, which asks whoever is to be asked, by making one where none can be made. */
function isSymlinkAllowed(): boolean {
  try {
    symlinkSync("ioq", "/dev/null/ioq");
    return true;
  } catch (error) {
    return !(error instanceof NotCapable);
  }
}
