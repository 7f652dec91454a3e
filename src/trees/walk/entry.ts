// Copyright 2026 the ioq authors. MIT license.

/**
 * Entries, by what directories tell of them.
 *
 * @module
 */

import { basename } from "../../posix_path.ts";
import type { BigIntFileInfo, FileInfo } from "../../linux/stat.ts";
import { op } from "../../operations/op.ts";
import { type Request, toCoreRequest } from "../../operations/request.ts";
import type { OpName } from "../../operations/values.ts";
import type { DirectoryNode } from "./directory_node.ts";
import type { WalkPlan } from "./walk_options.ts";
import type { WalkEntry } from "./walk_types.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../../linux/directory.ts";

/** An entry of a type from `<dirent.h>`. */
export function makeEntry(path: string, name: string, type: number): WalkEntry {
  return {
    path,
    name,
    isFile: type === DT_REG,
    isDirectory: type === DT_DIR,
    isSymlink: type === DT_LNK,
  };
}

/** The entry of a directory: what is told of its errors. */
export function entryOf(node: DirectoryNode): WalkEntry {
  const entry = makeEntry(node.path, basename(node.path) || "/", DT_DIR);
  if (node.rawPath !== undefined) {
    entry.rawPath = node.rawPath;
  }
  return entry;
}

/** What the paths of a directory's entries begin with. */
export function prefixOf(path: string): string {
  return path === "." || path === "./" ? "" : path.endsWith("/") ? path : `${path}/`;
}

/** A request for attributes in the form that entries have them in. */
export function statRequest(
  { bigint, decode }: WalkPlan,
  verb: "stat" | "lstat",
  path: string | Uint8Array,
  at?: number,
): Request<OpName, FileInfo | BigIntFileInfo> {
  const options = at === undefined ? {} : { at };
  const request: Request<OpName> = bigint
    ? op[verb](path, { ...options, bigint })
    : op[verb](path, options);
  return toCoreRequest(request).readBy((_, payload) => decode(payload.words, payload.at >> 2));
}
