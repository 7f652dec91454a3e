// Copyright 2026 the ioq authors. MIT license.

/**
 * The root of a walk: found by its own, and always followed if it is a link.
 *
 * @module
 */

import { basename, normalize } from "node:path/posix";
import { isUtf8 } from "../../linux/directory.ts";
import { op } from "../../operations/op.ts";
import { pathText } from "../../path.ts";
import type { WalkContext } from "./context.ts";
import { DirectoryNode } from "./directory_node.ts";
import type { WalkEntry } from "./walk_options.ts";

/** What there is at the root. */
export interface Root {
  /** Its entry, if it is wanted. */
  readonly entry: WalkEntry | undefined;
  /** Its device, if the walk is to stay there. */
  readonly device: number;
  /** The directory, if it is to be gone into. */
  readonly node: DirectoryNode | undefined;
}

/** Find the root; `undefined` if it cannot be read, which has been reported. */
export async function findRoot(
  walk: WalkContext,
  given: string | Uint8Array,
): Promise<Root | undefined> {
  const { plan } = walk;
  const text = pathText(given);
  const path = normalize(text);
  const entry: WalkEntry = {
    path,
    name: basename(path) || "/",
    isFile: false,
    isDirectory: false,
    isSymlink: false,
  };
  const rawPath = typeof given === "string" || isUtf8(given) ? undefined : given;
  if (rawPath !== undefined) {
    entry.rawPath = rawPath;
  }

  const found = plan.includeDirs && (plan.finds === undefined || plan.finds(text));
  let device = 0;
  if (found || plan.sameDevice) {
    try {
      // Not the normalized path if that may be another: a link may go before ".."
      const info = await walk.run(op.stat(text.includes("..") ? given : rawPath ?? path));
      device = info.dev;
      entry.isFile = info.isFile;
      entry.isDirectory = info.isDirectory;
      if (plan.stat) {
        entry.info = info;
      }
    } catch (error) {
      walk.report(error, entry);
      return undefined;
    }
  }
  const descends = plan.maxDepth >= 1 && !plan.skips?.(text);
  return {
    entry: found ? entry : undefined,
    device,
    node: descends
      ? new DirectoryNode(undefined, path, rawPath, rawPath ?? text, undefined, true)
      : undefined,
  };
}
