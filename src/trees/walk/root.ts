// Copyright 2026 the ioq authors. MIT license.

/**
 * The root of a walk: found by its own, and always followed if it is a link.
 *
 * @module
 */

import { basename, normalize } from "../../posix_path.ts";
import { isUtf8 } from "../../linux/directory.ts";
import { inContext } from "../../linux/errors.ts";
import { op } from "../../operations/op.ts";
import { pathText } from "../../path.ts";
import { checkAccess, normalizePath, READ } from "../../permissions.ts";
import type { WalkContext } from "./context.ts";
import { DirectoryNode } from "./directory_node.ts";
import { statRequest } from "./entry.ts";
import type { GlobPlan, WalkPlan } from "./walk_options.ts";
import type { WalkEntry } from "./walk_types.ts";

/** Where a walk begins. */
export interface GivenRoot {
  /** As the caller has it. */
  readonly given: string | Uint8Array;
  /** Its absolute form, as of when it was given. */
  readonly absolute: string | Uint8Array;
}

/** A name, and what is above it: `a` may be a link, so that `a/..` is not here. */
const GOES_BACK = /(?:^|\/)(?!\.{1,2}\/)[^/]+\/+\.\.(?:\/|$)/;

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
  { given, absolute }: GivenRoot,
): Promise<Root | undefined> {
  const { plan } = walk;
  if (plan.glob !== undefined && !plan.glob.findsRoot && !plan.sameDevice) {
    return globRoot(plan, plan.glob, { given, absolute });
  }
  const text = pathText(given);
  const path = plan.verbatim ? text : normalize(text);
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

  const found = plan.includeDirs && (plan.finds === undefined || plan.finds(text)) &&
    (plan.glob === undefined || plan.glob.findsRoot);
  let device = 0;
  let at;
  try {
    // As Deno does, what is checked is used
    const used = checkAccess(absolute, READ, given);
    at = typeof used === "string" || !isUtf8(used) ? used : pathText(used);
    if (found || plan.sameDevice || plan.bigint) {
      // As @std/fs has it, which normalizes what it asks about, and not what it reads
      const info = await walk.run(statRequest(plan, "stat", at.length === 0 ? path : at));
      device = Number(info.dev);
      entry.isFile = info.isFile;
      entry.isDirectory = info.isDirectory;
      if (plan.stat) {
        entry.info = info;
      }
    }
    if (path !== text && GOES_BACK.test(text) && !await isSame(walk, at, path)) {
      // Paths are to lead to what they are of
      entry.path = text;
      entry.name = basename(text);
    }
  } catch (error) {
    walk.report(inContext(error, `stat '${text}'`), entry);
    return undefined;
  }
  const descends = plan.maxDepth >= 1 && !plan.skips?.(text);
  const prefix = plan.glob?.prefix ??
    (plan.verbatim ? text.endsWith("/") ? text : `${text}/` : undefined);
  const node = new DirectoryNode(undefined, entry.path, rawPath, at, undefined, true, prefix);
  node.glob = plan.glob?.patterns.start;
  return { entry: found ? entry : undefined, device, node: descends ? node : undefined };
}

/** Where globs begin, which ask for no more of it than they must. */
function globRoot(plan: WalkPlan, glob: GlobPlan, { given, absolute }: GivenRoot): Root {
  const at = typeof absolute === "string" ? normalizePath(absolute) : absolute;
  const rawPath = typeof given === "string" || isUtf8(given) ? undefined : given;
  const path = normalize(pathText(given));
  const node = new DirectoryNode(undefined, path, rawPath, at, undefined, true, glob.prefix);
  node.glob = glob.patterns.start;
  return { entry: undefined, device: 0, node: plan.maxDepth >= 1 ? node : undefined };
}

/** Whether two paths lead to the same. */
async function isSame(
  walk: WalkContext,
  one: string | Uint8Array,
  other: string,
): Promise<boolean> {
  const [a, b] = await Promise.all([walk.run(op.stat(one)), walk.run(op.stat(other))])
    .catch(() => []);
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
