// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing and copying trees. The modules that do so are loaded at first use.
 *
 * What was asked for does not change meanwhile: paths and options are copied, and relative
 * paths begin in the directory that was current when the function was called.
 *
 * @module
 */

import { LateModule } from "../late.ts";
import { showCaller } from "../linux/errors.ts";
import { beginningIn, currentDirectory, type Path, toPath } from "../path.ts";
import { ownOptions } from "../own_option.ts";
import type { OperationOptions, Runner } from "../queue/runner.ts";
import { KeptEntries } from "./kept_entries.ts";
import type { CopyTreeOptions } from "./copy_tree.ts";
import type { ExistsOptions } from "./ensure.ts";
import type { MoveOptions } from "./move.ts";
import type { PromiseForms } from "../forms.ts";
import type { TreeOptions } from "./tree_options.ts";
import type { FileToWrite, WriteFilesOptions, WrittenFiles } from "./write_files.ts";

const REMOVE_TREE = new LateModule(() => import("./remove_tree.ts"));
const REMOVER = new LateModule(() => import("./remover.ts"));
const COPY_TREE = new LateModule(() => import("./copy_tree.ts"));
const ENSURE = new LateModule(() => import("./ensure.ts"));
const MOVE = new LateModule(() => import("./move.ts"));
const WRITE_FILES = new LateModule(() => import("./write_files.ts"));

/** A path as it is now, which a caller may change; what is none is refused later. */
function kept(path: Path): Path {
  return path instanceof URL || path instanceof Uint8Array ? toPath(path, "path") : path;
}

/** Options as they are now; what are none are refused later. */
function keptOptions<O>(options: O): O {
  return typeof options === "object" && options !== null ? ownOptions(options) : options;
}

/** Call a function of a module, with relative paths beginning where they do now. */
async function callLate<M, V>(
  module: LateModule<M>,
  call: (module: M) => Promise<V>,
): Promise<V> {
  try {
    if (module.loaded === undefined) {
      const here = currentDirectory();
      const loaded = await module.load();
      return await beginningIn(here, () => call(loaded));
    }
    return await call(module.loaded);
  } catch (error) {
    showCaller(error, callLate);
    throw error;
  }
}

/** Call one that takes a path and options, as they are now. */
async function callWith<M, O, V>(
  module: LateModule<M>,
  path: Path,
  options: O,
  call: (module: M, path: Path, options: O) => Promise<V>,
): Promise<V> {
  const given = kept(path);
  const how = keptOptions(options);
  return await callLate(module, (loaded) => call(loaded, given, how));
}

/**
 * Removes a file, a symbolic link, or a directory with everything in it.
 *
 * Symbolic links are removed and never followed, also if a link takes the place of a
 * directory meanwhile (see `openat(2)` and `O_NOFOLLOW`). Entries that others remove
 * meanwhile are no error. Trees may be deeper than paths can be long.
 *
 * Without the native library one call of `Deno.removeSync()` removes the tree: it ends with the
 * first error, and progress is reported once.
 *
 * @param path What to remove.
 * @param options What to do about errors; `signal`, `timeoutMs`; a callback for progress.
 * @throws {Deno.errors.NotFound} If there is nothing at the path.
 * @throws {Deno.errors.NotCapable} If the path may not be written to.
 * @throws {Deno.errors.TimedOut} If it takes longer than `timeoutMs`.
 * @throws {TypeError} If an option is unknown or has the wrong type.
 *
 * @category Many files and trees
 *
 * @example
 * ```ts
 * import { Ioq, removeTree } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * const path = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${path}/a/b/c`, { recursive: true });
 * let removed = 0;
 * await removeTree(path, { ioq, onProgress: ({ entries }) => removed = entries });
 * console.log(removed); // 4
 * ```
 */
export function removeTree(path: Path, options: TreeOptions = {}): Promise<void> {
  return callWith(REMOVE_TREE, path, options, (module, ...given) => module.removeTree(...given));
}

/**
 * Copies a file, a symbolic link, or a directory with everything in it.
 *
 * It copies contents, permission bits and symbolic links. Links are copied as links and
 * never followed, neither in the original nor in the copy, also if they appear meanwhile (see
 * `openat(2)` and `O_NOFOLLOW`). Holes stay holes. Unless `preserve` says otherwise, a file with
 * several names becomes several files, and the set-user-ID and set-group-ID bits of files are
 * dropped. Named pipes, sockets and devices cannot be copied: everything else is copied
 * first, and then it rejects, unless `onError` says otherwise.
 *
 * @param from What to copy.
 * @param to The path of the copy, not of a directory to put it into.
 * @param options Whether to overwrite; what to preserve; the options of {@linkcode removeTree}.
 * @throws {Deno.errors.NotFound} If there is nothing at `from`, or no directory for `to`.
 * @throws {Deno.errors.AlreadyExists} If there is something at `to`, without `overwrite`.
 * @throws {Deno.errors.NotSupported} If an entry cannot be copied, or without the native library.
 * @throws {Deno.errors.NotCapable} If a path may not be accessed.
 *
 * @category Many files and trees
 *
 * @example
 * ```ts
 * import { copyTree, Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * const path = Deno.makeTempDirSync();
 * await copyTree("src", `${path}/src`, { ioq, preserveTimestamps: true });
 * Deno.removeSync(path, { recursive: true });
 * ```
 */
export async function copyTree(
  from: Path,
  to: Path,
  options: CopyTreeOptions = {},
): Promise<void> {
  const given = kept(from);
  const givenTarget = kept(to);
  const how = keptOptions(options);
  await callLate(COPY_TREE, (module) => module.copyTree(given, givenTarget, how));
}

/** Remove all that is at a path, by a queue or a task: see {@linkcode PromiseForms.remove}. */
export function removeAllOn(ioq: Runner, path: Path, limits: OperationOptions): Promise<void> {
  return callWith(
    REMOVER,
    path,
    limits,
    (module, ...given) => module.removeTreeOn(() => ioq, ...given),
  );
}

/** See {@linkcode PromiseForms.exists}. */
export function existsOn(
  ioq: Runner,
  path: Path,
  options: ExistsOptions | undefined,
): Promise<boolean> {
  return callWith(ENSURE, path, options, (module, ...given) => module.exists(ioq, ...given));
}

/** See {@linkcode PromiseForms.ensureDir}. */
export function ensureDirOn(
  ioq: Runner,
  path: Path,
  options: OperationOptions | undefined,
): Promise<void> {
  return callWith(ENSURE, path, options, (module, ...given) => module.ensureDir(ioq, ...given));
}

/** See {@linkcode PromiseForms.emptyDir}. */
export function emptyDirOn(
  ioq: Runner,
  path: Path,
  options: OperationOptions | undefined,
): Promise<void> {
  return callWith(ENSURE, path, options, (module, ...given) => module.emptyDir(ioq, ...given));
}

/** See {@linkcode PromiseForms.move}. */
export async function moveOn(
  ioq: PromiseForms,
  from: Path,
  to: Path,
  options: MoveOptions | undefined,
): Promise<void> {
  const given = kept(from);
  const givenTarget = kept(to);
  const how = keptOptions(options);
  await callLate(MOVE, (module) => module.move(ioq, given, givenTarget, how));
}

/** Write many files, see {@linkcode PromiseForms.writeFiles}. */
export async function writeFilesOn(
  ioq: Runner,
  entries: Iterable<FileToWrite> | AsyncIterable<FileToWrite>,
  options: WriteFilesOptions = {},
): Promise<WrittenFiles> {
  const how = keptOptions(options);
  const here = currentDirectory();
  // An array is taken as it is now
  using kept = Array.isArray(entries) ? new KeptEntries(entries) : undefined;
  if (WRITE_FILES.loaded === undefined) {
    kept?.keepRest();
  }
  const { writeFiles } = WRITE_FILES.loaded ?? await WRITE_FILES.load();
  const writing = beginningIn(here, () => writeFiles(ioq, kept ?? entries, how));
  kept?.keepRest();
  try {
    return await writing;
  } catch (error) {
    showCaller(error, writeFilesOn);
    throw error;
  }
}
