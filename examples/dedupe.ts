// Copyright 2026 the ioq authors. MIT license.

/**
 * Files with the same contents below a path:
 *
 *     deno run --allow-ffi --allow-read examples/dedupe.ts [PATH…]
 *     deno run --allow-ffi --allow-read --allow-write examples/dedupe.ts --link [PATH…]
 *
 * Most files are told apart by their sizes, which the walk brings along; only those
 * that share one are read and hashed. Names of the same file (hard links) are no
 * duplicates. With `--link` the duplicates become hard links of the first: each is
 * replaced by a rename, so that there is a whole file at any time. Only files of the
 * same device, owner and mode are linked.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type FileInfo, Ioq, type Path, walk } from "@ioq/ioq";

/** Larger files are read in pieces. */
const WHOLE_BYTES_MAX = 1024 * 1024;

/** A file. */
export interface Item {
  readonly path: Path;
  readonly info: FileInfo;
}

/** What was found. */
export interface Duplicates {
  /** Groups of files with the same contents, two or more each, the largest first. */
  readonly groups: Item[][];
  /** What could not be read. */
  readonly errors: Error[];
}

/** Put things into groups by a key. */
function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [item]);
    } else {
      group.push(item);
    }
  }
  return [...groups.values()];
}

/** The regular files below paths that are not empty, each inode once, by size. */
async function findBySize(ioq: Ioq, roots: readonly string[], onError: (error: Error) => void) {
  const inodes = new Map<string, Item>();
  for (const root of roots) {
    const entries = walk(root, { ioq, stat: true, includeDirs: false, onError });
    for await (const { isFile, path, rawPath, info } of entries) {
      const key = `${info?.dev}:${info?.ino}`;
      if (isFile && info!.size > 0 && !inodes.has(key)) {
        inodes.set(key, { path: rawPath ?? path, info: info! });
      }
    }
  }
  return groupBy(inodes.values(), ({ info }) => info.size);
}

/** Find files with the same contents. */
export async function findDuplicates(ioq: Ioq, roots: readonly string[]): Promise<Duplicates> {
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const candidates = (await findBySize(ioq, roots, onError)).filter((it) => it.length > 1).flat();

  const hashes = new Map<Path, string>();
  const isSmall = ({ info }: Item) => info.size <= WHOLE_BYTES_MAX;
  const small = candidates.filter(isSmall).map(({ path }) => path);
  for await (const { path, bytes } of ioq.readFiles(small, { onError })) {
    hashes.set(path, createHash("sha256").update(bytes).digest("hex"));
  }
  for (const { path } of candidates.filter((it) => !isSmall(it))) {
    try {
      await using file = await ioq.openFile(path);
      const hash = createHash("sha256");
      for await (const chunk of file.readable) {
        hash.update(chunk);
      }
      hashes.set(path, hash.digest("hex"));
    } catch (error) {
      onError(error as Error);
    }
  }

  const groups = groupBy(
    candidates.filter(({ path }) => hashes.has(path)),
    ({ path }) => hashes.get(path),
  ).filter((it) => it.length > 1);
  groups.sort((a, b) => wasted(b) - wasted(a));
  return { groups, errors };
}

/** The bytes that a group would not take if it were one file. */
export function wasted(group: readonly Item[]): number {
  return group[0]!.info.size * (group.length - 1);
}

/** Make hard links of all duplicates in a group that may be; tells how many. */
export async function linkGroup(ioq: Ioq, group: readonly Item[]): Promise<number> {
  let count = 0;
  const alike = groupBy(group, ({ info }) => [info.dev, info.uid, info.gid, info.mode].join());
  for (const [first, ...others] of alike) {
    for (const { path } of others) {
      const temporary = besides(path);
      await ioq.link(first!.path, temporary);
      try {
        await ioq.rename(temporary, path);
      } catch (error) {
        await ioq.remove(temporary);
        throw error;
      }
      count++;
    }
  }
  return count;
}

/** Another name in the same directory, which nobody else would take. */
function besides(path: Path): Path {
  const suffix = `.${crypto.randomUUID()}`;
  if (!(path instanceof Uint8Array)) {
    return `${path}${suffix}`;
  }
  const bytes = new TextEncoder().encode(suffix);
  const longer = new Uint8Array(path.length + bytes.length);
  longer.set(path);
  longer.set(bytes, path.length);
  return longer;
}

if (import.meta.main) {
  const link = Deno.args.includes("--link");
  const roots = Deno.args.filter((it) => it !== "--link");
  try {
    await using ioq = await Ioq.open();
    const { groups, errors } = await findDuplicates(ioq, roots.length > 0 ? roots : ["."]);
    let [bytes, linked] = [0, 0];
    for (const group of groups) {
      console.log(`${group[0]!.info.size} bytes each:`);
      for (const { path } of group) {
        console.log(`  ${path instanceof Uint8Array ? new TextDecoder().decode(path) : path}`);
      }
      bytes += wasted(group);
      if (link) {
        linked += await linkGroup(ioq, group);
      }
    }
    console.log(
      `${groups.length} groups, ${bytes} bytes that need not be${
        link ? `, ${linked} files linked` : ""
      }`,
    );
    for (const error of errors) {
      console.error(error.message);
    }
    Deno.exitCode = errors.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(`dedupe: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
