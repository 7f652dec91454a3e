// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing a directory with all that is in it, on a given queue.
 *
 * @module
 */

import { hasCode } from "../linux/errors.ts";
import { AT_REMOVEDIR } from "../linux/fcntl.ts";
import { REMOVE_TREE } from "../operations/request.ts";
import { type Path, pathText, toPath } from "../path.ts";
import { checkTree, WRITE } from "../permissions.ts";
import type { Runner } from "../queue/runner.ts";
import { DT_DIR } from "./walk/tree_block.ts";
import { Descent, type DescentOptions, type Found, type OpenDirectory } from "./descent.ts";

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
    const request = { path: found.name, flags: REMOVE_TREE };
    if (await descent.attempt(found.path, () => descent.request("unlink", request))) {
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
 * @param open Gives the queue.
 * @param path What to remove.
 * @param options As {@linkcode removeTree}'s.
 */
export async function removeTreeOn(
  open: () => Runner | Promise<Runner>,
  path: Path,
  options: DescentOptions,
): Promise<void> {
  const root = checkTree(toPath(path, "remove"), WRITE);
  await Descent.run("remove", open, options, async (descent) => {
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
