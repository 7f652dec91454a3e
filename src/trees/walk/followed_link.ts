// Copyright 2026 the ioq authors. MIT license.

/**
 * What a symbolic link leads to, for walks that follow links.
 *
 * @module
 */

import type { BigIntFileInfo, FileInfo } from "../../linux/stat.ts";
import { decodeText } from "../../operations/decode.ts";
import { op } from "../../operations/op.ts";
import { toCoreRequest } from "../../operations/request.ts";
import type { WalkContext } from "./context.ts";
import type { Anchor, DirectoryNode } from "./directory_node.ts";
import { statRequest } from "./entry.ts";
import type { WalkEntry } from "./walk_types.ts";

/** What a link leads to. */
export interface LinkTarget {
  readonly info: FileInfo | BigIntFileInfo;
  /** The path that it is found by: its own, or the link's. */
  readonly path: string;
  /** What to open, from the anchor if there is one. */
  readonly at: string | Uint8Array;
  readonly anchor: Anchor | undefined;
}

/**
 * Find out what a link leads to.
 *
 * @param node The directory that it is in.
 * @param link The link.
 * @throws What of it cannot be read: it may lead nowhere, or to itself.
 */
export async function followLink(
  walk: WalkContext,
  node: DirectoryNode,
  link: WalkEntry,
): Promise<LinkTarget> {
  const anchor = node.anchorBelow;
  const at = node.atOf(link.rawName ?? link.name);
  const { path } = link;
  anchor?.hold();
  try {
    if (anchor === undefined && link.rawPath === undefined) {
      const real = await walk.run(toCoreRequest(op.realPath(at)).readBy(decodeText));
      const exact = !real.includes("\ufffd");
      const info = await walk.run(
        exact ? statRequest(walk.plan, "lstat", real) : statRequest(walk.plan, "stat", at),
      );
      return walk.plan.canonicalize && exact
        ? { info, path: real, at: real, anchor: undefined }
        : { info, path, at, anchor };
    }
    // No path that leads there, or none that text stands for: it keeps its own
    const fd = await anchor?.open(walk.ioq);
    const info = await walk.run(
      statRequest(walk.plan, "stat", at, fd),
    );
    return { info, path, at, anchor };
  } finally {
    await anchor?.release(walk.ioq);
  }
}
