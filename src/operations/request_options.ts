// Copyright 2026 the ioq authors. MIT license.

/**
 * Options of the functions that make requests.
 *
 * @module
 */

import type { ClockName } from "../linux/clock.ts";

/**
 * Where a relative path begins, if not in the current directory.
 *
 * @category Requests
 */
export interface AtOptions {
  /**
   * A directory descriptor, which must stay open until the completion. The permission is
   * checked for the real path of that directory.
   */
  at?: number | undefined;
}

/**
 * Options of `op.open()`: those of `Deno.open`, {@linkcode AtOptions}, and more flags of
 * `open(2)`. Without any of Deno's options, but with some of these, the file is
 * opened for reading; no option at all (`{}`) is refused, as Deno does.
 *
 * @category Requests
 */
export interface OpenRequestOptions extends Deno.OpenOptions, AtOptions {
  /**
   * Transfer between the device and the library's memory, past the page cache
   * (`O_DIRECT`). Offsets and lengths must be multiples of the device's logical
   * block, at least 512 bytes and on some devices 4096; otherwise the kernel
   * refuses a transfer with `EINVAL`, a `TypeError`. The caller's buffers may be
   * anywhere. A file system that does not support it refuses to open the file, with the
   * same error.
   *
   * @default {false}
   */
  direct?: boolean | undefined;
  /**
   * Make each write wait until its data is on the device (`O_DSYNC`).
   *
   * @default {false}
   */
  dsync?: boolean | undefined;
  /**
   * Fail with `Deno.errors.FilesystemLoop` if the path is a symbolic link
   * (`O_NOFOLLOW`). Links in the directories that lead there are followed.
   *
   * @default {false}
   */
  noFollow?: boolean | undefined;
  /**
   * Open a directory, and nothing else (`O_DIRECTORY`): for {@linkcode AtOptions},
   * or to sync it. Otherwise it fails with `Deno.errors.NotADirectory`.
   *
   * @default {false}
   */
  directory?: boolean | undefined;
}

/**
 * Options of `op.stat()` and `op.lstat()`.
 *
 * @category Files
 */
export interface StatOptions extends AtOptions {
  /**
   * Whether to resolve to a `BigIntFileInfo`, which is exact.
   *
   * @default {false}
   */
  bigint?: boolean | undefined;
}

/**
 * Options of `op.timeout()`.
 *
 * @category Requests
 */
export interface TimeoutOptions {
  /**
   * The clock that measures the time.
   *
   * @default {"monotonic"}
   */
  clock?: ClockName | undefined;
  /**
   * Whether the time is a point in time of that clock, as `Ioq.now()` gives it,
   * instead of a duration from now on. A point that has passed ends the wait at once.
   *
   * @default {false}
   */
  absolute?: boolean | undefined;
}

/**
 * What `op.poll()` waits for. Errors and the closing of the other end always end the wait.
 *
 * @category Requests
 */
export interface PollOptions {
  /**
   * Wait until it can be read.
   *
   * @default {false}
   */
  readable?: boolean | undefined;
  /**
   * Wait until it can be written.
   *
   * @default {false}
   */
  writable?: boolean | undefined;
  /**
   * Wait until there is exceptional data to be read.
   *
   * @default {false}
   */
  priority?: boolean | undefined;
}

/**
 * Options of requests for extended attributes.
 *
 * @category Extended attributes
 */
export interface XattrOptions extends AtOptions {
  /**
   * Whether the operation applies to a symbolic link's target instead of the link itself.
   *
   * @default {true}
   */
  followSymlinks?: boolean | undefined;
}

/**
 * Options of `op.chown()`.
 *
 * @category Files
 */
export interface ChownOptions extends AtOptions {
  /**
   * Whether the operation applies to a symbolic link's target instead of the link itself.
   *
   * @default {true}
   */
  followSymlinks?: boolean | undefined;
}

/**
 * Options of `op.utime()`.
 *
 * @category Files
 */
export interface UtimeOptions extends AtOptions {
  /**
   * Whether the operation applies to a symbolic link's target instead of the link itself.
   *
   * @default {true}
   */
  followSymlinks?: boolean | undefined;
}

/**
 * Options of `op.setXattr()`.
 *
 * @category Extended attributes
 */
export interface SetXattrOptions extends XattrOptions {
  /**
   * Fail with `Deno.errors.AlreadyExists` if the file has the attribute.
   *
   * @default {false}
   */
  create?: boolean | undefined;
  /**
   * Fail with `ENODATA` if the file has no such attribute.
   *
   * @default {false}
   */
  replace?: boolean | undefined;
}

/**
 * What `op.syncRange()` waits for, and what it begins. See `sync_file_range(2)`.
 *
 * @category Requests
 */
export interface SyncRangeOptions {
  /**
   * First wait until data of the range that is being written is on the device.
   *
   * @default {false}
   */
  waitBefore?: boolean | undefined;
  /**
   * Begin to write the data that has changed.
   *
   * @default {true}
   */
  write?: boolean | undefined;
  /**
   * Then wait until that data is on the device.
   *
   * @default {false}
   */
  waitAfter?: boolean | undefined;
}

/**
 * Where `op.splice()` reads and writes, and how. See `splice(2)`.
 *
 * @category Requests
 */
export interface SpliceOptions {
  /** The offset in the source, in bytes; its own position by default. Not for pipes. */
  from?: number | undefined;
  /** The offset in the target, in bytes; its own position by default. Not for pipes. */
  to?: number | undefined;
  /**
   * Fail with `Deno.errors.WouldBlock` instead of waiting for a pipe.
   *
   * @default {false}
   */
  nonBlock?: boolean | undefined;
  /**
   * Tell the kernel that more data will follow.
   *
   * @default {false}
   */
  more?: boolean | undefined;
}

/**
 * How a file is going to be read.
 *
 * @category Requests
 */
export type Advice =
  | "normal"
  | "random"
  | "sequential"
  | "willNeed"
  | "dontNeed"
  | "noReuse";

/**
 * Where the paths of an operation with two of them begin.
 *
 * @category Files
 */
export interface FromToOptions {
  /** The directory descriptor that the first path is relative to, such as that of an open file. */
  at?: number | undefined;
  /** The directory descriptor that the second path is relative to. */
  toAt?: number | undefined;
}

/**
 * Options of `op.rename()`.
 *
 * @category Files
 */
export interface RenameOptions extends FromToOptions {
  /**
   * Fail with `Deno.errors.AlreadyExists` if the new path exists.
   *
   * @default {false}
   */
  noReplace?: boolean | undefined;
  /**
   * Exchange the two files, which must both exist.
   *
   * @default {false}
   */
  exchange?: boolean | undefined;
}

/**
 * Options of `op.write()`.
 *
 * @category Requests
 */
export interface DurableOptions {
  /**
   * Whether what was written is on the device when the operation is over, as if `syncData` came
   * after it (`RWF_DSYNC`). Of a pipe or a terminal there is nothing to wait for.
   *
   * @default {false}
   */
  durable?: boolean | undefined;
}

/**
 * Options of `op.writeFile()`: those of `Deno.writeFile`, {@linkcode AtOptions}, and what
 * happens if it is interrupted.
 *
 * @category Files
 */
export interface WriteFileOptions extends AtOptions {
  /**
   * Whether to append instead of replacing the contents.
   *
   * @default {false}
   */
  append?: boolean | undefined;
  /**
   * Whether to make the file if it does not exist.
   *
   * @default {true}
   */
  create?: boolean | undefined;
  /**
   * Whether to fail if the file exists.
   *
   * @default {false}
   */
  createNew?: boolean | undefined;
  /**
   * Permission bits; they are set on a file that exists, too.
   *
   * @default 0o666, less the umask, for a file that is made
   */
  mode?: number | undefined;
  /**
   * Whether to replace the file as a whole: whoever reads it finds the old contents or the
   * new ones, also if the process is killed in the middle. They are written to a temporary
   * file in the same directory, `.ioq-` and numbers, which then takes the file's name.
   *
   * Owner, permission bits and, with the native library, extended attributes and access
   * control lists remain those of the old file; if the process may not give a file that
   * owner, it fails with `Deno.errors.PermissionDenied`. A symbolic link remains, and the
   * file that it leads to is replaced. Other hard links keep the old contents. What is no
   * regular file is refused. A temporary file that a killed process has left behind is
   * removed when the same file is written in this way again.
   *
   * Deno's permissions are needed to read and write the file and temporary files beside
   * it, as for writing one by `Deno.writeFile` and renaming it: in practice those for the
   * directory. Cannot be combined with `append`.
   *
   * After a power failure there may be neither of the two unless `durable` is set as well.
   *
   * @default {false}
   */
  atomic?: boolean | undefined;
  /**
   * Whether to wait until the data and the file's name are on the device, as
   * `fsync(2)` does. Those that are written to one directory at the same time share
   * the syncing of the directory.
   *
   * @default {false}
   */
  durable?: boolean | undefined;
}
