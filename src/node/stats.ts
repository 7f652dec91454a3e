// Copyright 2026 the ioq authors. MIT license.

/**
 * Attributes and directory entries in the shape that Node has for them.
 *
 * @module
 */

import type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
import type { DirEntry } from "../linux/directory.ts";

/** What tells the kind of a file. */
export interface Kind {
  /** A regular file. */
  readonly isFile: boolean;
  /** A directory. */
  readonly isDirectory: boolean;
  /** A symbolic link. */
  readonly isSymlink: boolean;
  /** A block device. */
  readonly isBlockDevice?: boolean | null;
  /** A character device. */
  readonly isCharDevice?: boolean | null;
  /** A named pipe. */
  readonly isFifo?: boolean | null;
  /** A socket. */
  readonly isSocket?: boolean | null;
}

/** The questions that Node's objects answer. */
export abstract class Kinds {
  readonly #kind: Kind;

  /**
   * Answers for a file.
   *
   * @param kind What was told of it.
   */
  protected constructor(kind: Kind) {
    this.#kind = kind;
  }

  /** Whether it is a regular file. */
  isFile(): boolean {
    return this.#kind.isFile;
  }

  /** Whether it is a directory. */
  isDirectory(): boolean {
    return this.#kind.isDirectory;
  }

  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean {
    return this.#kind.isSymlink;
  }

  /** Whether it is a block device. */
  isBlockDevice(): boolean {
    return this.#kind.isBlockDevice === true;
  }

  /** Whether it is a character device. */
  isCharacterDevice(): boolean {
    return this.#kind.isCharDevice === true;
  }

  /** Whether it is a named pipe. */
  isFIFO(): boolean {
    return this.#kind.isFifo === true;
  }

  /** Whether it is a socket. */
  isSocket(): boolean {
    return this.#kind.isSocket === true;
  }
}

/** A file's attributes, as `Stats` of `node:fs`. Times are whole milliseconds. */
export class Stats extends Kinds {
  /** The device that the file is on. */
  readonly dev: number;
  /** The inode number. */
  readonly ino: number;
  /** Type and permission bits. */
  readonly mode: number;
  /** Hard links. */
  readonly nlink: number;
  /** Owner. */
  readonly uid: number;
  /** Group. */
  readonly gid: number;
  /** The device that the file is, if it is one. */
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** Preferred bytes of one transfer. */
  readonly blksize: number;
  /** Blocks of 512 bytes that are allocated. */
  readonly blocks: number;
  /** The last read, in milliseconds since 1970. */
  readonly atimeMs: number;
  /** The last write, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** The last change of attributes, in milliseconds since 1970. */
  readonly ctimeMs: number;
  /** The creation, in milliseconds since 1970; 0 if that is not kept. */
  readonly birthtimeMs: number;
  /** The last read. */
  readonly atime: Date;
  /** The last write. */
  readonly mtime: Date;
  /** The last change of attributes. */
  readonly ctime: Date;
  /** The creation. */
  readonly birthtime: Date;

  /**
   * Attributes in Node's shape.
   *
   * @param info What a queue tells of the file.
   */
  constructor(info: FileInfo) {
    super(info);
    this.dev = info.dev;
    this.ino = info.ino ?? 0;
    this.mode = info.mode ?? 0;
    this.nlink = info.nlink ?? 0;
    this.uid = info.uid ?? 0;
    this.gid = info.gid ?? 0;
    this.rdev = info.rdev ?? 0;
    this.size = info.size;
    this.blksize = info.blksize ?? 0;
    this.blocks = info.blocks ?? 0;
    this.atime = info.atime;
    this.mtime = info.mtime;
    this.ctime = info.ctime;
    this.birthtime = info.birthtime ?? new Date(0);
    this.atimeMs = this.atime.getTime();
    this.mtimeMs = this.mtime.getTime();
    this.ctimeMs = this.ctime.getTime();
    this.birthtimeMs = this.birthtime.getTime();
  }
}

const MILLION = 1_000_000n;

/** A file's exact attributes, as `BigIntStats` of `node:fs`. */
export class BigIntStats extends Kinds {
  /** The device that the file is on. */
  readonly dev: bigint;
  /** The inode number. */
  readonly ino: bigint;
  /** Type and permission bits. */
  readonly mode: bigint;
  /** Hard links. */
  readonly nlink: bigint;
  /** Owner. */
  readonly uid: bigint;
  /** Group. */
  readonly gid: bigint;
  /** The device that the file is, if it is one. */
  readonly rdev: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Preferred bytes of one transfer. */
  readonly blksize: bigint;
  /** Blocks of 512 bytes that are allocated. */
  readonly blocks: bigint;
  /** The last read, in nanoseconds since 1970. */
  readonly atimeNs: bigint;
  /** The last write, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** The last change of attributes, in nanoseconds since 1970. */
  readonly ctimeNs: bigint;
  /** The creation, in nanoseconds since 1970; 0 if that is not kept. */
  readonly birthtimeNs: bigint;
  /** The last read, in milliseconds since 1970. */
  readonly atimeMs: bigint;
  /** The last write, in milliseconds since 1970. */
  readonly mtimeMs: bigint;
  /** The last change of attributes, in milliseconds since 1970. */
  readonly ctimeMs: bigint;
  /** The creation, in milliseconds since 1970. */
  readonly birthtimeMs: bigint;
  /** The last read. */
  readonly atime: Date;
  /** The last write. */
  readonly mtime: Date;
  /** The last change of attributes. */
  readonly ctime: Date;
  /** The creation. */
  readonly birthtime: Date;

  /**
   * Attributes in Node's shape.
   *
   * @param info What a queue tells of the file.
   */
  constructor(info: BigIntFileInfo) {
    super(info);
    this.dev = info.dev;
    this.ino = info.ino;
    this.mode = BigInt(info.mode);
    this.nlink = info.nlink;
    this.uid = BigInt(info.uid);
    this.gid = BigInt(info.gid);
    this.rdev = info.rdev;
    this.size = info.size;
    this.blksize = BigInt(info.blksize);
    this.blocks = info.blocks;
    this.atimeNs = info.atimeNs;
    this.mtimeNs = info.mtimeNs;
    this.ctimeNs = info.ctimeNs;
    this.birthtimeNs = info.birthtimeNs ?? 0n;
    this.atimeMs = this.atimeNs / MILLION;
    this.mtimeMs = this.mtimeNs / MILLION;
    this.ctimeMs = this.ctimeNs / MILLION;
    this.birthtimeMs = this.birthtimeNs / MILLION;
    this.atime = new Date(Number(this.atimeMs));
    this.mtime = new Date(Number(this.mtimeMs));
    this.ctime = new Date(Number(this.ctimeMs));
    this.birthtime = new Date(Number(this.birthtimeMs));
  }
}

/** An entry of a directory, as `Dirent` of `node:fs`. */
export class Dirent extends Kinds {
  /** Its name. */
  readonly name: string;
  /** The path of its directory, as it was given. */
  readonly parentPath: string;

  /**
   * An entry in Node's shape.
   *
   * @param entry What a queue tells of it.
   * @param parentPath The path of its directory.
   */
  constructor(entry: DirEntry, parentPath: string) {
    super(entry);
    this.name = entry.name;
    this.parentPath = parentPath;
  }
}
