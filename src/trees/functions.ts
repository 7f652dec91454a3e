// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing and copying trees: what that takes is loaded when it is first asked for.
 *
 * Until then nothing changes what was asked for: paths are copied, relative ones begin where
 * they would have begun, and so are options.
 *
 * @module
 */

import { LateModule } from "../late.ts";
import { beginningIn, currentDirectory, type Path, toPath } from "../path.ts";
import { ownOptions } from "../own_option.ts";
import type { OperationOptions, Runner } from "../queue/runner.ts";
import type { CopyTreeOptions } from "./copy_tree.ts";
import type { TreeOptions } from "./tree_options.ts";

const REMOVE_TREE = new LateModule(() => import("./remove_tree.ts"));
const REMOVER = new LateModule(() => import("./remover.ts"));
const COPY_TREE = new LateModule(() => import("./copy_tree.ts"));

/** A path as it is now, which a caller may change; what is none is refused later. */
function kept(path: Path): Path {
  return path instanceof URL || path instanceof Uint8Array ? toPath(path, "path") : path;
}

/** Options as they are now; what are none are refused later. */
function keptOptions<O>(options: O): O {
  return typeof options === "object" && options !== null ? ownOptions(options) : options;
}

/** Call a function of a module, with relative paths beginning where they do now. */
async function callLate<M>(
  module: LateModule<M>,
  call: (module: M) => Promise<void>,
): Promise<void> {
  if (module.loaded === undefined) {
    const here = currentDirectory();
    const loaded = await module.load();
    await beginningIn(here, () => call(loaded));
  } else {
    await call(module.loaded);
  }
}

/**
 * Remove a file, a symbolic link, or a directory with all that is in it.
 *
 * Symbolic links are removed, never followed, not even those that somebody puts
 * where a directory was: see `openat(2)` and `O_NOFOLLOW`. What others remove
 * meanwhile is no error. Trees may be deeper than paths can be long.
 *
 * Without the native library one call of `Deno.removeSync()` on a Worker removes all of
 * it: the first error ends it, and progress is told once.
 *
 * @param path What to remove.
 * @param options What to do about errors, a signal, and whom to tell of progress.
 * @throws {Deno.errors.NotFound} If there is nothing at the path.
 * @throws {Deno.errors.NotCapable} If the path may not be written to.
 * @throws {Deno.errors.TimedOut} If it takes longer than `timeoutMs`.
 * @throws {TypeError} If an option is of a wrong type, or there is none of its name.
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
export async function removeTree(path: Path, options: TreeOptions = {}): Promise<void> {
  const given = kept(path);
  const how = keptOptions(options);
  await callLate(REMOVE_TREE, (module) => module.removeTree(given, how));
}

/**
 * Copy a file, a symbolic link, or a directory with all that is in it.
 *
 * Contents, permission bits and symbolic links are copied; links are copied as
 * links and never followed, neither in the original nor in the copy, not even those
 * that somebody puts there meanwhile: see `openat(2)` and `O_NOFOLLOW`. Holes stay
 * holes. Files that have several names become several files, and the set-user-ID and
 * set-group-ID bits of files are dropped, unless `preserve` says otherwise. Named pipes,
 * sockets and devices cannot be copied: all else is, and then it rejects, unless
 * `onError` says otherwise.
 *
 * @param from What to copy.
 * @param to Where the copy is to be; not a directory to put it into.
 * @param options Whether to copy over what is there, and as for {@linkcode removeTree}.
 * @throws {Deno.errors.NotFound} If there is nothing at `from`, or no directory for `to`.
 * @throws {Deno.errors.AlreadyExists} If there is something at `to`, without `overwrite`.
 * @throws {Deno.errors.NotSupported} If something can not be copied.
 * @throws {Deno.errors.NotSupported} Where there is no native library.
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
export async function removeAllOn(
  ioq: Runner,
  path: Path,
  limits: OperationOptions,
): Promise<void> {
  const given = kept(path);
  await callLate(REMOVER, (module) => module.removeTreeOn(() => ioq, given, limits));
}
