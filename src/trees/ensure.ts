// Copyright 2026 the ioq authors. MIT license.

/**
 * What is there, and what is to be there: the calls of `@std/fs` by these names.
 *
 * @module
 */

import { hasCode } from "../linux/errors.ts";
import type { FileInfo } from "../linux/stat.ts";
import { op } from "../operations/op.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import { absolutePath, type Path, toPath } from "../path.ts";
import { limitsOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";
import { makeDirectory } from "./make_directory.ts";
import { emptyDirectoryOn } from "./remover.ts";

/**
 * Options of {@linkcode exists}: those of `@std/fs`.
 *
 * @category Files
 */
export interface ExistsOptions extends OperationOptions {
  /**
   * Whether it must be readable as well, as `access(2)` tells.
   *
   * @default {false}
   */
  isReadable?: boolean | undefined;
  /**
   * Whether it must be a directory, or a symbolic link to one.
   *
   * @default {false}
   */
  isDirectory?: boolean | undefined;
  /**
   * Whether it must be a file, or a symbolic link to one.
   *
   * @default {false}
   */
  isFile?: boolean | undefined;
}

/** See {@linkcode PromiseForms.exists}. */
export async function exists(
  ioq: Runner,
  path: Path,
  given: ExistsOptions | undefined,
): Promise<boolean> {
  const options = ownOptions(given);
  const { isReadable, isDirectory, isFile } = options;
  if (isDirectory && isFile) {
    throw new TypeError(
      "ExistsOptions.options.isDirectory and ExistsOptions.options.isFile must not be true together",
    );
  }
  const limits = limitsOf(options);
  // Both for the file that the path leads to now
  const stat = op.stat(path);
  const access = isReadable ? op.access(path, { read: true }) : undefined;
  let info: FileInfo;
  try {
    info = await runOn(ioq, stat, limits);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return false;
    }
    if (hasCode(error, "EACCES", "EPERM") && error instanceof Deno.errors.PermissionDenied) {
      // The system's refusal: there is something, or something on the way
      return !isReadable;
    }
    throw error;
  }
  if (isDirectory && !info.isDirectory || isFile && !info.isFile) {
    return false;
  }
  if (access === undefined) {
    return true;
  }
  try {
    await runOn(ioq, access, limits);
    return true;
  } catch (error) {
    if (hasCode(error, "EACCES", "ENOENT")) {
      return false;
    }
    throw error;
  }
}

/**
 * Check that what is there is a directory.
 *
 * @throws {Error} If it is something else.
 */
function checkDirectory({ isDirectory, isFile }: FileInfo): void {
  if (!isDirectory) {
    const got = isFile ? "file" : "undefined";
    throw new Error(`Failed to ensure directory exists: expected 'dir', got '${got}'`);
  }
}

/** See {@linkcode PromiseForms.ensureDir}. */
export async function ensureDir(
  ioq: Runner,
  path: Path,
  options: OperationOptions | undefined,
): Promise<void> {
  const limits = options === undefined ? {} : limitsOf(options);
  const stat = op.stat(path);
  const whole = absolutePath(toPath(path, "mkdir"));
  try {
    checkDirectory(await runOn(ioq, stat, limits));
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  }
  try {
    await makeDirectory(ioq, whole, { ...limits, recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw error;
    }
    // Somebody else has made something
    checkDirectory(await runOn(ioq, stat, limits));
  }
}

/** See {@linkcode PromiseForms.emptyDir}. */
export async function emptyDir(
  ioq: Runner,
  path: Path,
  options: OperationOptions | undefined,
): Promise<void> {
  const limits = options === undefined ? {} : limitsOf(options);
  const whole = absolutePath(toPath(path, "mkdir"));
  try {
    await emptyDirectoryOn(ioq, path, limits);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || ownOption(options, "signal")?.aborted) {
      throw error;
    }
    await makeDirectory(ioq, whole, { ...limits, recursive: true });
  }
}
