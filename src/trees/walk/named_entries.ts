// Copyright 2026 the ioq authors. MIT license.

/**
 * Entries of a directory that globs name to the letter: each is looked for by itself, which
 * costs the same however large the directory is, and takes no permission to read it.
 *
 * @module
 */

import { DT_DIR, DT_LNK, DT_REG } from "../../linux/directory.ts";
import { hasCode } from "../../linux/errors.ts";
import type { FileInfo } from "../../linux/stat.ts";
import { op } from "../../operations/op.ts";
import { joinPath } from "../../path.ts";
import { checkAccess, READ } from "../../permissions.ts";
import type { NamedEntry } from "./block_entries.ts";
import type { WalkContext } from "./context.ts";
import type { DirectoryNode } from "./directory_node.ts";
import { makeEntry } from "./entry.ts";

/** Entries that are looked for at a time. */
const AT_ONCE = 64;

/** Any type but those that matter. */
const DT_OTHER = 0;

function typeOf(info: FileInfo): number {
  return info.isFile ? DT_REG : info.isDirectory ? DT_DIR : info.isSymlink ? DT_LNK : DT_OTHER;
}

/** Find what globs name in a directory. */
export async function findNamed(walk: WalkContext, node: DirectoryNode): Promise<NamedEntry[]> {
  const found: NamedEntry[] = [];
  const names = [...node.names ?? []];
  for (let at = 0; at < names.length && !walk.stopped; at += AT_ONCE) {
    const some = await Promise.all(
      names.slice(at, at + AT_ONCE).map((name) => find(walk, node, name)),
    );
    found.push(...some.filter((it) => it !== undefined));
  }
  return found;
}

async function find(
  walk: WalkContext,
  node: DirectoryNode,
  name: string,
): Promise<NamedEntry | undefined> {
  const { directory, other } = node.glob!.judge(name);
  if (!directory && !other) {
    // Only what is below it counts: whether it is there shows when that is looked for
    return { name, type: DT_DIR, info: undefined };
  }
  const anchor = node.anchorBelow;
  anchor?.hold();
  try {
    if (walk.checks) {
      checkAccess(joinPath(node.fullPath, name), READ, joinPath(node.path, name));
    }
    const fd = await anchor?.open(walk.ioq);
    const info = await walk.run(op.lstat(node.atOf(name), fd === undefined ? {} : { at: fd }));
    return { name, type: typeOf(info), info: walk.plan.stat ? info : undefined };
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG")) {
      walk.report(error, makeEntry(node.prefix + name, name, DT_OTHER));
    }
    return undefined;
  } finally {
    await anchor?.release(walk.ioq);
  }
}
