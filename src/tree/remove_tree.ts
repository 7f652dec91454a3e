// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing a directory with all that is in it.
 *
 * @module
 */

import { REMOVE_TREE } from "../operation.ts";
import { type Path, pathText, toPath } from "../path.ts";
import { checkAccess, WRITE } from "../permissions.ts";
import { DT_DIR } from "../walk/tree_block.ts";
import { Descent, type Found, type OpenDirectory, type TreeOptions } from "./descent.ts";

/** From `<fcntl.h>`. */
const AT_REMOVEDIR = 0x200;

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as { code?: string }).code ?? "");
}

/** Removes what is in directories. */
class Remover {
  readonly #descent: Descent;

  constructor(descent: Descent) {
    this.#descent = descent;
  }

  /** Remove a name; that it is gone already is as well. Whether it is gone. */
  async remove(at: number | undefined, found: Found, flags: number): Promise<boolean> {
    const descent = this.#descent;
    const gone = await descent.attempt(found.path, async () => {
      const fd = at === undefined ? {} : { fd: at };
      try {
        await descent.request("unlink", { ...fd, path: found.name, flags });
      } catch (error) {
        if (at === undefined || !hasCode(error, "ENOENT")) {
          throw error;
        }
      }
    });
    if (gone) {
      descent.progress(found.path);
    }
    return gone;
  }

  /** Remove all that is in a directory. Whether it is empty. */
  async empty(directory: OpenDirectory, depth: number): Promise<boolean> {
    const descent = this.#descent;
    let entries: Found[] = [];
    let isEmpty = await descent.attempt(directory.path, async () => {
      entries = await descent.read(directory);
    });
    await descent.each(entries.filter(({ type }) => type !== DT_DIR), async (found) => {
      if (!await this.remove(directory.fd, found, 0)) {
        isEmpty = false;
      }
    });
    await descent.descend(entries.filter(({ type }) => type === DT_DIR), depth, async (found) => {
      if (!await this.#removeDirectory(directory, found, depth)) {
        isEmpty = false;
      }
    });
    return isEmpty;
  }

  /** Remove all there is by one call of the runtime's, which takes as much care. */
  async removeWhole(found: Found): Promise<void> {
    const descent = this.#descent;
    const { name: path } = found;
    if (
      await descent.attempt(
        found.path,
        () => descent.request("unlink", { path, flags: REMOVE_TREE }),
      )
    ) {
      descent.progress(found.path);
    }
  }

  async #removeDirectory(above: OpenDirectory, found: Found, depth: number): Promise<boolean> {
    const descent = this.#descent;
    let directory: OpenDirectory | undefined;
    try {
      directory = await descent.open(above.fd, found.name, found.path);
    } catch (error) {
      if (hasCode(error, "ENOENT")) {
        return true;
      }
      if (hasCode(error, "ENOTDIR", "ELOOP")) {
        // Something else has taken its place
        return await this.remove(above.fd, found, 0);
      }
      // What cannot be opened may be empty
      const removed = await descent.request("unlink", {
        fd: above.fd,
        path: found.name,
        flags: AT_REMOVEDIR,
      }).then(() => true, () => false);
      if (removed) {
        descent.progress(found.path);
        return true;
      }
      return await descent.attempt(found.path, () => Promise.reject(error));
    }
    let isEmpty;
    try {
      if (descent.isDeep(depth)) {
        await descent.leaveOpenBelow(above);
      }
      try {
        isEmpty = await this.empty(directory, depth + 1);
      } finally {
        if (above.fd < 0) {
          await descent.comeBack(above, directory);
        }
      }
    } finally {
      await descent.close(directory.fd);
    }
    return isEmpty && await this.remove(above.fd, found, AT_REMOVEDIR);
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
  const root = toPath(path, "remove");
  checkAccess(root, WRITE, false);
  await Descent.run("remove", options, async (descent) => {
    const text = pathText(root);
    const found: Found = { name: root, type: DT_DIR, path: text };
    const remover = new Remover(descent);
    let directory: OpenDirectory;
    try {
      if (Deno.build.os !== "linux") {
        return await remover.removeWhole(found);
      }
      directory = await descent.open(undefined, root, text);
    } catch (error) {
      if (error instanceof Deno.errors.NotSupported) {
        // No library, which is the one to go through trees by descriptors
        await remover.removeWhole(found);
      } else if (hasCode(error, "ENOTDIR", "ELOOP")) {
        await remover.remove(undefined, found, 0);
      } else {
        await descent.attempt(text, () => Promise.reject(error));
      }
      return;
    }
    let isEmpty;
    try {
      isEmpty = await remover.empty(directory, 0);
    } finally {
      await descent.close(directory.fd);
    }
    if (isEmpty) {
      await remover.remove(undefined, found, AT_REMOVEDIR);
    }
  });
}
