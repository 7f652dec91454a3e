// Copyright 2026 the ioq authors. MIT license.

/**
 * Where files are written: memory, and a disk.
 *
 * @module
 */

import { makeScratch } from "./scratch.ts";
import { runCommand } from "./suites/walk/commands.ts";

/** A directory on a file system. */
export interface Place {
  /** What tables call it. */
  readonly name: string;
  /** The directory. */
  readonly path: string;
  /**
   * Whether what many files were made in stays until the suite is over. ext4 looks at each
   * inode that was freed within the last seconds before it makes a new one: a sample
   * would pay for the end of the one before.
   */
  readonly keeps: boolean;
  /** Have what was written before reach the disk, so that it is not part of what is timed. */
  settle(): Promise<void>;
}

/** The type of the file system that a directory is on, by `/proc/mounts`. */
function typeOf(directory: string): string {
  let best = { point: "", type: "" };
  for (const line of Deno.readTextFileSync("/proc/mounts").trim().split("\n")) {
    const [, point = "", type = ""] = line.split(" ");
    const below = point === "/" || directory === point || directory.startsWith(`${point}/`);
    if (below && point.length >= best.point.length) {
      best = { point, type };
    }
  }
  return best.type;
}

/** A directory on a disk: where those are made that outlive a restart. */
export function onDisk(stack: AsyncDisposableStack): Place {
  const { path } = stack.use(makeScratch("/var/tmp"));
  return {
    name: typeOf(path),
    path,
    keeps: true,
    settle: () => runCommand("sync", ["-f", path], 0),
  };
}

/** A directory in memory, if there is one. */
export function inMemory(stack: AsyncDisposableStack): Place | undefined {
  const directory = "/dev/shm";
  if (typeOf(directory) !== "tmpfs") {
    return undefined;
  }
  const { path } = stack.use(makeScratch(directory));
  return { name: "tmpfs", path, keeps: false, settle: () => Promise.resolve() };
}
