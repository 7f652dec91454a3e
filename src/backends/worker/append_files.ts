// Copyright 2026 the ioq authors. MIT license.

/**
 * Files that are appended to without the library.
 *
 * Node's write goes on after a short one, and when the disk is full then, it throws and
 * tells nobody what is in the file already. Whoever tries again writes that twice. Deno's
 * own write is one system call and tells what that did. Hence a descriptor that appends
 * has a second one beside it, of Deno's, which all its bytes go through; where they go is
 * the end of the file, whichever of the two it is.
 *
 * @module
 */

import type NodeFs from "node:fs";
import { ownOptions } from "../../own_option.ts";

/** What a file is, whatever its name. */
interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A descriptor's second one. */
interface Appender extends Identity {
  readonly file: Deno.FsFile;
}

/** By descriptor: descriptors of Node's belong to the thread that opened them. */
const appenders = new Map<number, Appender>();

function identityOf(fs: typeof NodeFs, fd: number): Identity {
  return fs.fstatSync(fd, { bigint: true });
}

/** A descriptor was opened to append at a path; without a second one it works all the same. */
export function addAppender(fs: typeof NodeFs, fd: number, path: string): void {
  removeAppender(fd);
  let file: Deno.FsFile | undefined;
  try {
    const info = fs.fstatSync(fd, { bigint: true });
    if (!info.isFile()) {
      // To open a FIFO once more might take for ever
      return;
    }
    file = Deno.openSync(path, ownOptions({ append: true }));
    const { dev, ino } = fs.statSync(path, { bigint: true });
    const own = file.statSync();
    // Somebody may have put another file in its place
    if (
      dev === info.dev && ino === info.ino && own.dev === Number(dev) && own.ino === Number(ino)
    ) {
      appenders.set(fd, { file, dev, ino });
      return;
    }
  } catch {
    // It is gone, or out of reach by now
  }
  file?.close();
}

/** The second descriptor, if there is one for the file that the first one is of. */
export function appenderOf(fs: typeof NodeFs, fd: number): Deno.FsFile | undefined {
  const appender = appenders.get(fd);
  if (appender === undefined) {
    return undefined;
  }
  const { dev, ino } = identityOf(fs, fd);
  if (dev !== appender.dev || ino !== appender.ino) {
    // It was closed past this
    removeAppender(fd);
    return undefined;
  }
  return appender.file;
}

/** A descriptor is closed, or another's now. */
export function removeAppender(fd: number): void {
  const appender = appenders.get(fd);
  if (appender !== undefined) {
    appenders.delete(fd);
    appender.file.close();
  }
}
