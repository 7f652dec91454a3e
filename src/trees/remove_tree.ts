// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing a directory with all that is in it.
 *
 * @module
 */

import type { Path } from "../path.ts";
import { checkOptionNames } from "./known_options.ts";
import { queueOf, TREE_OPTIONS, type TreeOptions } from "./tree_options.ts";
import { removeTreeOn } from "./remover.ts";

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
  checkOptionNames(options, TREE_OPTIONS, "removeTree()");
  await removeTreeOn(queueOf(options), path, options);
}
