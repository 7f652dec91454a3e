// Copyright 2026 the ioq authors. MIT license.

/**
 * Functions of `node:fs/promises` by a queue.
 *
 * @module
 */

import type { PromiseForms } from "../forms.ts";
import { hasCode } from "../linux/errors.ts";
import { op } from "../operations/op.ts";
import { type Path, pathText, toPath } from "../path.ts";
import { toNodeError } from "./error.ts";
import { BigIntStats, Dirent, Stats } from "./stats.ts";

/** An encoding, or options with one. */
export type EncodingOptions = string | null | {
  /** `utf8` for text; bytes by default. */
  encoding?: string | null | undefined;
};

/** Options of writing a file. */
export type WriteOptions = string | null | {
  /** How text becomes bytes: `utf8`. */
  encoding?: string | null | undefined;
  /** Permission bits. */
  mode?: number | undefined;
  /** `w` to replace, `a` to append, `wx` and `ax` if there may be none yet. */
  flag?: string | undefined;
  /** Cancels it. */
  signal?: AbortSignal | undefined;
};

/** What libraries that take an `fs` call of `node:fs/promises`. */
export interface FsPromises {
  /** Reads a file: text with an encoding, else bytes. */
  readFile(path: Path, options?: { encoding?: null } | null): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads a file as text. */
  readFile(path: Path, options: "utf8" | "utf-8" | { encoding: "utf8" | "utf-8" }): Promise<string>;
  /** Reads a file: text with an encoding, else bytes. */
  readFile(path: Path, options?: EncodingOptions): Promise<string | Uint8Array<ArrayBuffer>>;
  /** Writes a file. */
  writeFile(path: Path, data: string | Uint8Array, options?: WriteOptions): Promise<void>;
  /** Writes at the end of a file. */
  appendFile(path: Path, data: string | Uint8Array, options?: WriteOptions): Promise<void>;
  /** The names in a directory. */
  readdir(path: Path, options?: string | null | { withFileTypes?: false }): Promise<string[]>;
  /** The entries of a directory. */
  readdir(path: Path, options: { withFileTypes: true }): Promise<Dirent[]>;
  /** The attributes of a file, following links. */
  stat(path: Path, options?: { bigint?: false }): Promise<Stats>;
  /** The exact attributes of a file. */
  stat(path: Path, options: { bigint: true }): Promise<BigIntStats>;
  /** The attributes of a file or a link. */
  lstat(path: Path, options?: { bigint?: false }): Promise<Stats>;
  /** The exact attributes of a file or a link. */
  lstat(path: Path, options: { bigint: true }): Promise<BigIntStats>;
  /** Makes a directory. Resolves to nothing, where Node tells the first that it made. */
  mkdir(path: Path, options?: number | null | { recursive?: boolean; mode?: number }): Promise<
    undefined
  >;
  /** Removes an empty directory. */
  rmdir(path: Path): Promise<void>;
  /** Removes a file or a link. */
  unlink(path: Path): Promise<void>;
  /** Removes a file, or a tree. */
  rm(path: Path, options?: { recursive?: boolean; force?: boolean }): Promise<void>;
  /** Gives a file another name. */
  rename(from: Path, to: Path): Promise<void>;
  /** What a link points to. */
  readlink(path: Path, options?: EncodingOptions): Promise<string>;
  /** Makes a symbolic link; the type is of no interest on Linux. */
  symlink(target: Path, path: Path, type?: string | null): Promise<void>;
  /** Makes a hard link. */
  link(from: Path, to: Path): Promise<void>;
  /** The path of what a path leads to. */
  realpath(path: Path, options?: EncodingOptions): Promise<string>;
  /** Sets permission bits; text is octal. */
  chmod(path: Path, mode: number | string): Promise<void>;
  /** Sets owner and group; -1 leaves one. */
  chown(path: Path, uid: number, gid: number): Promise<void>;
  /** Sets times: a `Date`, or seconds since 1970. */
  utimes(path: Path, atime: Date | number | string, mtime: Date | number | string): Promise<void>;
  /** Shortens or lengthens a file. */
  truncate(path: Path, length?: number): Promise<void>;
  /** Copies a file. */
  copyFile(from: Path, to: Path): Promise<void>;
  /** Checks whether a file may be read (4), written (2), executed (1), or is there (0). */
  access(path: Path, mode?: number): Promise<void>;
}

/** Has a call made by a queue. */
export type RunOnQueue = <V>(call: (ioq: PromiseForms) => Promise<V>) => Promise<V>;

/** Node's class of bytes. */
interface BufferClass {
  from(buffer: ArrayBuffer): Uint8Array<ArrayBuffer> & { toString(encoding?: string): string };
}

/** Node's class of bytes, which exists where Node's modules do. */
function bufferClass(): BufferClass | undefined {
  return Reflect.get(globalThis, "Buffer");
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The encoding that options ask for. */
function encodingOf(options: EncodingOptions | undefined): string | undefined {
  return (typeof options === "string" ? options : options?.encoding) ?? undefined;
}

/** Bytes as a caller wants them. */
function decode(
  bytes: Uint8Array<ArrayBuffer>,
  encoding: string | undefined,
): string | Uint8Array<ArrayBuffer> {
  if (encoding === "utf8" || encoding === "utf-8") {
    return decoder.decode(bytes);
  }
  const buffer = bufferClass()?.from(bytes.buffer);
  if (encoding === undefined || encoding === "buffer") {
    return buffer ?? bytes;
  }
  if (buffer === undefined) {
    throw new TypeError(`Expected encoding to be utf8, got ${encoding}`);
  }
  return buffer.toString(encoding);
}

/** A path for messages. */
function shown(path: Path): string {
  return pathText(toPath(path, "open"));
}

/** How a file is opened to be written. */
function writeFlags(flag: string): { append?: true; createNew?: true } {
  if (!/^[wa]x?$/.test(flag)) {
    throw new TypeError(`Expected flag to be one of w, wx, a, ax, got ${flag}`);
  }
  return {
    ...(flag.startsWith("a") ? { append: true } : {}),
    ...(flag.endsWith("x") ? { createNew: true } : {}),
  };
}

/** A time as Node takes it. */
function toTime(time: Date | number | string): Date | number {
  return typeof time === "string" ? Number(time) : time;
}

/** Make Node's functions of a queue. */
export function makePromises(run: RunOnQueue): FsPromises {
  /** Make a call, and word its error as Node does. */
  const make = async <V>(
    syscall: string,
    path: Path,
    call: (ioq: PromiseForms) => Promise<V>,
    dest?: Path,
  ): Promise<V> => {
    try {
      return await run(call);
    } catch (error) {
      throw toNodeError(
        error,
        syscall,
        shown(path),
        dest === undefined ? undefined : shown(dest),
      );
    }
  };
  const statOf = (name: "stat" | "lstat") => (path: Path, options?: { bigint?: boolean }) =>
    make<Stats | BigIntStats>(
      name,
      path,
      async (ioq) =>
        options?.bigint
          ? new BigIntStats(await ioq[name](path, { bigint: true }))
          : new Stats(await ioq[name](path)),
    );
  const write = (
    path: Path,
    data: string | Uint8Array,
    options: WriteOptions | undefined,
    otherwise: string,
  ) => {
    const { mode, flag = otherwise, signal } = typeof options === "object" ? options ?? {} : {};
    return make("open", path, (ioq) => {
      const how = {
        ...writeFlags(flag),
        ...(mode === undefined ? {} : { mode }),
        ...(signal === undefined ? {} : { signal }),
      };
      return typeof data === "string"
        ? ioq.writeTextFile(path, data, how)
        : ioq.writeFile(path, data, how);
    });
  };
  const functions = {
    readFile: async (path: Path, options?: EncodingOptions) =>
      decode(await make("open", path, (ioq) => ioq.readFile(path)), encodingOf(options)),
    writeFile: (path: Path, data: string | Uint8Array, options?: WriteOptions) =>
      write(path, data, options, "w"),
    appendFile: (path: Path, data: string | Uint8Array, options?: WriteOptions) =>
      write(path, data, options, "a"),
    readdir: async (path: Path, options?: string | null | { withFileTypes?: boolean }) => {
      const entries = await make("scandir", path, (ioq) => ioq.readDir(path));
      const typed = typeof options === "object" && options?.withFileTypes === true;
      return typed
        ? entries.map((entry) => new Dirent(entry, shown(path)))
        : entries.map(({ name }) => name);
    },
    stat: statOf("stat"),
    lstat: statOf("lstat"),
    mkdir: (path: Path, options?: number | null | { recursive?: boolean; mode?: number }) =>
      make("mkdir", path, async (ioq) => {
        await ioq.mkdir(path, typeof options === "number" ? { mode: options } : options ?? {});
        return undefined;
      }),
    rmdir: (path: Path) => make("rmdir", path, (ioq) => ioq.run(op.rmdir(path))),
    unlink: (path: Path) => make("unlink", path, (ioq) => ioq.run(op.unlink(path))),
    rm: async (path: Path, options?: { recursive?: boolean; force?: boolean }) => {
      try {
        await make(
          "rm",
          path,
          (ioq) =>
            options?.recursive ? ioq.remove(path, { recursive: true }) : ioq.run(op.unlink(path)),
        );
      } catch (error) {
        if (!options?.force || !hasCode(error, "ENOENT")) {
          throw error;
        }
      }
    },
    rename: (from: Path, to: Path) => make("rename", from, (ioq) => ioq.rename(from, to), to),
    readlink: (path: Path) => make("readlink", path, (ioq) => ioq.readLink(path)),
    symlink: (target: Path, path: Path) =>
      make("symlink", target, (ioq) => ioq.symlink(target, path), path),
    link: (from: Path, to: Path) => make("link", from, (ioq) => ioq.link(from, to), to),
    realpath: (path: Path) => make("realpath", path, (ioq) => ioq.realPath(path)),
    chmod: (path: Path, mode: number | string) =>
      make(
        "chmod",
        path,
        (ioq) => ioq.chmod(path, typeof mode === "string" ? parseInt(mode, 8) : mode),
      ),
    chown: (path: Path, uid: number, gid: number) =>
      make("chown", path, (ioq) => ioq.chown(path, uid, gid)),
    utimes: (path: Path, atime: Date | number | string, mtime: Date | number | string) =>
      make("utime", path, (ioq) => ioq.utime(path, toTime(atime), toTime(mtime))),
    truncate: (path: Path, length?: number) =>
      make("open", path, (ioq) => ioq.truncate(path, length)),
    copyFile: (from: Path, to: Path) => make("copyfile", from, (ioq) => ioq.copyFile(from, to), to),
    access: (path: Path, mode = 0) =>
      make("access", path, (ioq) =>
        ioq.run(op.access(path, {
          read: (mode & 4) !== 0,
          write: (mode & 2) !== 0,
          execute: (mode & 1) !== 0,
        }))),
  };
  // What resolves to one of two types does so as the overloads say
  return functions as FsPromises;
}
