// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing a directory with all that is in it.
 *
 * @module
 */

import type { Path } from "../path.ts";
import { checkOptionNames } from "../known_options.ts";
import { queueOf, TREE_OPTIONS, type TreeOptions } from "./tree_options.ts";
import { removeTreeOn } from "./remover.ts";

/** See `functions.ts`. */
export async function removeTree(path: Path, options: TreeOptions = {}): Promise<void> {
  checkOptionNames(options, TREE_OPTIONS, "removeTree()");
  await removeTreeOn(queueOf(options), path, options);
}
