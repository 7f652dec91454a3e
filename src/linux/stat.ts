// Copyright 2026 the ioq authors. MIT license.

/**
 * What `statx(2)` tells of a file, as `Deno.FileInfo` and in exact form.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";

/**
 * A file's attributes: `Deno.FileInfo` with every field set, as it is on Linux.
 *
 * Sizes, inode numbers and the like are numbers, as Deno gives them: beyond 2^53 the
 * nearest that there is. {@linkcode BigIntFileInfo} has the exact ones.
 *
 * @category Files
 */
export interface FileInfo extends Deno.FileInfo {
  /** When the file was last written to, in whole milliseconds. */
  mtime: Date;
  /** When the file was last read, as far as the file system keeps that. */
  atime: Date;
  /** When the file was made, or `null` if the file system does not keep that. */
  birthtime: Date | null;
  /** When its attributes were last changed. */
  ctime: Date;
}

/**
 * A file's attributes in exact form: 64-bit numbers and nanoseconds as `bigint`.
 *
 * @category Files
 */
export interface BigIntFileInfo {
  /** Whether it is a regular file. */
  isFile: boolean;
  /** Whether it is a directory. */
  isDirectory: boolean;
  /** Whether it is a symbolic link. */
  isSymlink: boolean;
  /** Whether it is a block device. */
  isBlockDevice: boolean;
  /** Whether it is a character device. */
  isCharDevice: boolean;
  /** Whether it is a named pipe. */
  isFifo: boolean;
  /** Whether it is a socket. */
  isSocket: boolean;
  /** Bytes. */
  size: bigint;
  /** Nanoseconds since 1970 of the last write; negative before. */
  mtimeNs: bigint;
  /** Nanoseconds since 1970 of the last read. */
  atimeNs: bigint;
  /** Nanoseconds since 1970 of the creation, or `null` if that is not kept. */
  birthtimeNs: bigint | null;
  /** Nanoseconds since 1970 of the last change of attributes. */
  ctimeNs: bigint;
  /** The device that the file is on, as `makedev(3)` packs it. */
  dev: bigint;
  /** The inode number. */
  ino: bigint;
  /** Type and permission bits. */
  mode: number;
  /** Hard links. */
  nlink: bigint;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** The device that the file is, if it is one. */
  rdev: bigint;
  /** Preferred bytes of one transfer. */
  blksize: number;
  /** Blocks of 512 bytes that are allocated. */
  blocks: bigint;
}

/** From `<linux/stat.h>`. */
const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;
const STATX_BTIME = 0x800;

/** The unsigned 64-bit number at a word; the nearest there is, beyond 2^53. */
function number64(words: Int32Array, at: number): number {
  return (words[at + 1]! >>> 0) * 0x1_0000_0000 + (words[at]! >>> 0);
}

/** The time at a word, and its nanoseconds at another, rounded towards 1970 as Deno does. */
function date(words: Int32Array, at: number, nsecAt: number): Date {
  const seconds = words[at + 1]! * 0x1_0000_0000 + (words[at]! >>> 0);
  const milliseconds = words[nsecAt]! / 1e6;
  return new Date(
    seconds * 1000 + (seconds < 0 ? Math.ceil(milliseconds) : Math.floor(milliseconds)),
  );
}

/**
 * Read a stat record.
 *
 * @param words The words of the record's buffer.
 * @param at The word that the record begins at.
 */
export function decodeFileInfo(words: Int32Array, at: number): FileInfo {
  const mode = words[at + layout.STAT_MODE]!;
  const type = mode & S_IFMT;
  return {
    isFile: type === S_IFREG,
    isDirectory: type === S_IFDIR,
    isSymlink: type === S_IFLNK,
    size: number64(words, at + layout.STAT_SIZE_LOW),
    mtime: date(words, at + layout.STAT_MTIME_LOW, at + layout.STAT_MTIME_NSEC),
    atime: date(words, at + layout.STAT_ATIME_LOW, at + layout.STAT_ATIME_NSEC),
    birthtime: words[at + layout.STAT_MASK]! & STATX_BTIME
      ? date(words, at + layout.STAT_BTIME_LOW, at + layout.STAT_BTIME_NSEC)
      : null,
    ctime: date(words, at + layout.STAT_CTIME_LOW, at + layout.STAT_CTIME_NSEC),
    dev: number64(words, at + layout.STAT_DEV_LOW),
    mode,
    ino: number64(words, at + layout.STAT_INO_LOW),
    nlink: words[at + layout.STAT_NLINK]! >>> 0,
    uid: words[at + layout.STAT_UID]! >>> 0,
    gid: words[at + layout.STAT_GID]! >>> 0,
    rdev: number64(words, at + layout.STAT_RDEV_LOW),
    blksize: words[at + layout.STAT_BLKSIZE]! >>> 0,
    blocks: number64(words, at + layout.STAT_BLOCKS_LOW),
    isBlockDevice: type === S_IFBLK,
    isCharDevice: type === S_IFCHR,
    isFifo: type === S_IFIFO,
    isSocket: type === S_IFSOCK,
  };
}

function bigUint64(words: Int32Array, at: number): bigint {
  return BigInt.asUintN(64, (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]! >>> 0));
}

function nanoseconds(words: Int32Array, at: number, nsecAt: number): bigint {
  const seconds = (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]! >>> 0);
  return seconds * 1_000_000_000n + BigInt(words[nsecAt]!);
}

/** As {@linkcode decodeFileInfo}, in exact form. */
export function decodeBigIntFileInfo(words: Int32Array, at: number): BigIntFileInfo {
  const mode = words[at + layout.STAT_MODE]!;
  const type = mode & S_IFMT;
  return {
    isFile: type === S_IFREG,
    isDirectory: type === S_IFDIR,
    isSymlink: type === S_IFLNK,
    isBlockDevice: type === S_IFBLK,
    isCharDevice: type === S_IFCHR,
    isFifo: type === S_IFIFO,
    isSocket: type === S_IFSOCK,
    size: bigUint64(words, at + layout.STAT_SIZE_LOW),
    mtimeNs: nanoseconds(words, at + layout.STAT_MTIME_LOW, at + layout.STAT_MTIME_NSEC),
    atimeNs: nanoseconds(words, at + layout.STAT_ATIME_LOW, at + layout.STAT_ATIME_NSEC),
    birthtimeNs: words[at + layout.STAT_MASK]! & STATX_BTIME
      ? nanoseconds(words, at + layout.STAT_BTIME_LOW, at + layout.STAT_BTIME_NSEC)
      : null,
    ctimeNs: nanoseconds(words, at + layout.STAT_CTIME_LOW, at + layout.STAT_CTIME_NSEC),
    dev: bigUint64(words, at + layout.STAT_DEV_LOW),
    ino: bigUint64(words, at + layout.STAT_INO_LOW),
    mode,
    nlink: BigInt(words[at + layout.STAT_NLINK]! >>> 0),
    uid: words[at + layout.STAT_UID]! >>> 0,
    gid: words[at + layout.STAT_GID]! >>> 0,
    rdev: bigUint64(words, at + layout.STAT_RDEV_LOW),
    blksize: words[at + layout.STAT_BLKSIZE]! >>> 0,
    blocks: bigUint64(words, at + layout.STAT_BLOCKS_LOW),
  };
}
