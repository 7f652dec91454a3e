// Copyright 2026 the ioq authors. MIT license.

/**
 * The numbers of `<fcntl.h>` on Linux.
 *
 * @module
 */

/** The current directory, instead of a descriptor. */
export const AT_FDCWD = -100;
/** A link itself is meant. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** A directory is to be removed. */
export const AT_REMOVEDIR = 0x200;
/** The descriptor itself is meant. */
export const AT_EMPTY_PATH = 0x1000;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
/** Do not wait for the other end of a pipe. */
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;

const isArm = Deno.build.arch === "aarch64";
/** These differ between architectures. */
export const O_DIRECT: number = isArm ? 0o200000 : 0o40000;
export const O_DIRECTORY: number = isArm ? 0o40000 : 0o200000;
export const O_NOFOLLOW: number = isArm ? 0o100000 : 0o400000;

/** To the next data at or after an offset, as a seek. */
export const SEEK_DATA = 3;
/** To the next hole. */
export const SEEK_HOLE = 4;
