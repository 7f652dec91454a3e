// Copyright 2026 the ioq authors. MIT license.

/**
 * A backup of a tree: a copy with owners, times, links, extended attributes and holes, which has
 * its name only when it is whole.
 *
 *     deno run -A examples/backup.ts FROM TO
 *
 * @module
 */

import { copyTree, removeTree, rename } from "@ioq/ioq";

/** Copy a tree to where nothing is yet. */
export async function backup(from: string, to: string): Promise<void> {
  const partial = `${to}.partial`;
  // What an earlier run left that was killed
  await removeTree(partial).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  });
  await copyTree(from, partial, { preserve: true });
  await rename(partial, to);
}

if (import.meta.main) {
  const [from, to] = Deno.args;
  if (from === undefined || to === undefined) {
    console.error("Usage: backup.ts FROM TO");
    Deno.exit(2);
  }
  await backup(from, to);
}
