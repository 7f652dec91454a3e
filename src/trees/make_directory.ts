// Copyright 2026 the ioq authors. MIT license.

/**
 * Making a directory, and those above it.
 *
 * @module
 */

import { isUtf8 } from "../linux/directory.ts";
import { hasCode, inContext } from "../linux/errors.ts";
import { withLenientMode } from "../lenient.ts";
import { op } from "../operations/op.ts";
import type { AtOptions } from "../operations/request_options.ts";
import { toCoreRequest } from "../operations/request.ts";
import { withinLimit } from "../queue/call_end.ts";
import { isEnd } from "../end.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import { absolutePath, type Path, pathText, toPath } from "../path.ts";
import { checkAccess, WRITE } from "../permissions.ts";
import { limitsOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";

/** See {@linkcode PromiseForms.mkdir}. */
export async function makeDirectory(
  ioq: Runner,
  path: Path,
  given?: AtOptions & OperationOptions & { mode?: number; recursive?: boolean } | null,
): Promise<void> {
  const options = withLenientMode(given, 0o777);
  const request = op.mkdir(path, options);
  if (options === undefined || !ownOption(options, "recursive")) {
    await runOn(ioq, request, options);
    return;
  }
  const asGiven = toPath(path, "mkdir");
  const whole = ownOption(options, "at") === undefined
    ? checkAccess(absolutePath(asGiven), WRITE, asGiven)
    : asGiven;
  if (whole.length === 0) {
    // As for Deno: the path of the current directory, which exists
    return;
  }
  const { context } = toCoreRequest(request);
  const { timeoutMs: _, ...rest } = ownOptions(options);
  try {
    await withinLimit(
      ioq,
      options,
      context,
      (limits) => makeAll(ioq, whole, { ...rest, signal: ownOption(limits, "signal") }),
    );
  } catch (error) {
    // Whichever directory it was, this is the one that was asked for
    throw inContext(error, context, ownOption(options, "signal"));
  }
}

/** Make a directory and those above it. */
async function makeAll(
  ioq: Runner,
  path: string | Uint8Array,
  options: AtOptions & OperationOptions & { mode?: number },
): Promise<void> {
  // From the last to the first that is missing, and back; so it ends
  const missing: (string | Uint8Array)[] = [];
  let next: string | Uint8Array | undefined = path;
  while (next !== undefined) {
    try {
      await makeUnlessThere(ioq, next, options);
      break;
    } catch (error) {
      missing.push(next);
      next = hasCode(error, "ENOENT") ? parentOf(next) : undefined;
      if (next === undefined) {
        throw error;
      }
    }
  }
  for (const directory of missing.reverse()) {
    await makeUnlessThere(ioq, directory, options);
  }
}

/** Make a directory unless there is one. */
async function makeUnlessThere(
  ioq: Runner,
  path: string | Uint8Array,
  options: AtOptions & OperationOptions & { mode?: number },
): Promise<void> {
  try {
    await runOn(ioq, op.mkdir(path, options), options);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) {
      throw error;
    }
    const { at, signal } = ownOptions(options);
    const stat = toCoreRequest(op.stat(path, at === undefined ? {} : { at }));
    // Who may make it may know that it is one; the path was checked for that
    stat.trusted = at === undefined;
    const is = await runOn(ioq, stat, limitsOf(options)).catch((cause) => {
      if (isEnd(cause, signal) || hasCode(cause, "ETIMEDOUT")) {
        // It was not found out
        throw cause;
      }
      const isText = typeof path === "string" || isUtf8(path);
      return at === undefined && isText ? isDirectory(pathText(path)) : undefined;
    });
    if (!is?.isDirectory) {
      signal?.throwIfAborted();
      throw error;
    }
  }
}

/**
 * Whether a path that exists is a directory's. Without the library it is Deno that looks,
 * which takes a permission to read, unless it looks for this very call.
 */
async function isDirectory(path: string): Promise<{ isDirectory: boolean }> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o777 });
    return { isDirectory: true };
  } catch {
    return { isDirectory: false };
  }
}

/** The path of the directory that a path is in, if there is one to be made. */
export function parentOf(path: string | Uint8Array): string | Uint8Array | undefined {
  const isSlash = (i: number) => path[i] === "/" || path[i] === 0x2f;
  let end = path.length;
  while (end > 0 && isSlash(end - 1)) {
    end--;
  }
  while (end > 0 && !isSlash(end - 1)) {
    end--;
  }
  while (end > 0 && isSlash(end - 1)) {
    end--;
  }
  return end > 0 ? path.slice(0, end) : undefined;
}
