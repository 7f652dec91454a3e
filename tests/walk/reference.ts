// Copyright 2026 the ioq authors. MIT license.

/**
 * What `walk()` of `@std/fs` does, written down from its documented behaviour: the
 * measure of ours. Left out are two of its faults, that it never ends in a cycle of
 * links and that `canonicalize` counts at the first level only.
 */

import { basename, join, normalize } from "node:path/posix";
import type { WalkEntry, WalkOptions } from "../../mod.ts";

type ReferenceOptions = Pick<
  WalkOptions,
  | "maxDepth"
  | "includeFiles"
  | "includeDirs"
  | "includeSymlinks"
  | "followSymlinks"
  | "canonicalize"
  | "exts"
  | "match"
  | "skip"
>;

function isIncluded(
  path: string,
  { exts, match, skip }: Pick<ReferenceOptions, "exts" | "match" | "skip">,
): boolean {
  const endings = exts?.map((ext) => ext.startsWith(".") ? ext : "." + ext);
  return !(endings && !endings.some((ending) => path.endsWith(ending))) &&
    !(match && !match.some((it) => path.match(it) !== null)) &&
    !(skip && skip.some((it) => path.match(it) !== null));
}

/** A walk, one entry at a time. */
export async function* referenceWalk(
  root: string,
  options: ReferenceOptions = {},
): AsyncGenerator<WalkEntry> {
  const {
    maxDepth = Infinity,
    includeFiles = true,
    includeDirs = true,
    includeSymlinks = true,
    followSymlinks = false,
    canonicalize = true,
    skip,
  } = options;
  if (maxDepth < 0) {
    return;
  }
  if (includeDirs && isIncluded(root, options)) {
    const path = normalize(root);
    const { isFile, isDirectory, isSymlink } = await Deno.stat(path);
    yield { path, name: basename(path) || "/", isFile, isDirectory, isSymlink };
  }
  if (maxDepth < 1 || !isIncluded(root, skip === undefined ? {} : { skip })) {
    return;
  }
  for await (const entry of Deno.readDir(root)) {
    let path = join(root, entry.name);
    let { isDirectory } = entry;
    if (entry.isSymlink) {
      if (!followSymlinks) {
        if (includeSymlinks && isIncluded(path, options)) {
          yield { path, ...entry };
        }
        continue;
      }
      const real = await Deno.realPath(path);
      if (canonicalize) {
        path = real;
      }
      isDirectory = (await Deno.lstat(real)).isDirectory;
    }
    if (isDirectory) {
      yield* referenceWalk(path, { ...options, maxDepth: maxDepth - 1 });
    } else if (includeFiles && isIncluded(path, options)) {
      yield { path, ...entry };
    }
  }
}
