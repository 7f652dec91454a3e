// Copyright 2026 the ioq authors. MIT license.

/**
 * Errors as Node words them.
 *
 * @module
 */

/** An error of the operating system in Node's shape: `ENOENT: no such file or directory, stat '/nope'`. */
export interface NodeError extends Error {
  /** The number of the error, negative. */
  errno?: number;
  /** Its name, such as `ENOENT`. */
  code?: string;
  /** What was being done. */
  syscall?: string;
  /** What it was being done to. */
  path?: string;
  /** Where it was to go. */
  dest?: string;
}

/** Where Node has words that differ from the system's in more than their first letter. */
const WORDS: Readonly<Record<string, string>> = {
  EEXIST: "file already exists",
  EISDIR: "illegal operation on a directory",
  EBUSY: "resource busy or locked",
  ELOOP: "too many symbolic links encountered",
  EXDEV: "cross-device link not permitted",
  EMFILE: "too many open files",
  ENFILE: "file table overflow",
  ENAMETOOLONG: "name too long",
  EBADF: "bad file descriptor",
  ENOTSUP: "operation not supported on socket",
};

/**
 * An error in Node's shape, if it is the operating system's; others stay as they are.
 *
 * @param error What a queue says.
 * @param syscall What Node calls what was being done.
 * @param path What it was being done to.
 * @param dest Where it was to go.
 */
export function toNodeError(error: unknown, syscall: string, path: string, dest?: string): unknown {
  const told = error instanceof Error ? /^(.*) \(os error (\d+)\)/.exec(error.message) : null;
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  if (told === null || typeof code !== "string") {
    return error;
  }
  const words = Object.hasOwn(WORDS, code)
    ? WORDS[code]!
    : told[1]!.charAt(0).toLowerCase() + told[1]!.slice(1);
  const where = dest === undefined ? `'${path}'` : `'${path}' -> '${dest}'`;
  const node: NodeError = new Error(`${code}: ${words}, ${syscall} ${where}`, { cause: error });
  node.errno = -Number(told[2]);
  node.code = code;
  node.syscall = syscall;
  node.path = path;
  if (dest !== undefined) {
    node.dest = dest;
  }
  return node;
}
