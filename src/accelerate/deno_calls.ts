// Copyright 2026 the ioq authors. MIT license.

/**
 * Functions that take the place of Deno's. What is plain goes through the gate; what is
 * not, such as a path that is none, goes to Deno's own function, which knows best what
 * is wrong with it. So does what takes Deno one call and a queue many: trees that are
 * made or removed, and streams.
 *
 * @module
 */

import type { Ioq } from "../ioq.ts";
import { type Gate, LISTING } from "./gate.ts";

/** Deno's own functions. */
export type DenoCalls = Pick<
  typeof Deno,
  | "chmod"
  | "chown"
  | "copyFile"
  | "create"
  | "link"
  | "lstat"
  | "mkdir"
  | "open"
  | "readDir"
  | "readFile"
  | "readLink"
  | "readTextFile"
  | "realPath"
  | "remove"
  | "rename"
  | "stat"
  | "symlink"
  | "truncate"
  | "utime"
  | "writeFile"
  | "writeTextFile"
>;

/** A path that Deno takes. */
type DenoPath = string | URL;

/** Whether something is a path that Deno takes. */
function isPath(path: unknown): path is DenoPath {
  return typeof path === "string" || path instanceof URL;
}

/** Whether paths mean the same later on: a URL may be changed, and the current directory. */
function isFixed(...paths: DenoPath[]): boolean {
  return paths.every((path) => typeof path === "string" && path.startsWith("/"));
}

/** The options of Deno's that say how to open a file. */
const OPEN_OPTIONS = [
  "read",
  "write",
  "append",
  "truncate",
  "create",
  "createNew",
  "mode",
] as const;

/**
 * Options as a queue takes them: what Deno would find in an object, inherited or not.
 */
function pick<O extends object, K extends keyof O & string>(
  options: O | null | undefined,
  names: readonly K[],
): { [N in K]?: NonNullable<O[N]> } {
  const picked: { [N in K]?: NonNullable<O[N]> } = {};
  for (const name of names) {
    const value = options?.[name];
    if (value !== undefined && value !== null) {
      picked[name] = value;
    }
  }
  return picked;
}

const SIGNAL = ["signal"] as const;
const WRITE_OPTIONS = ["signal", "append", "create", "createNew", "mode"] as const;
const CREATE: Deno.OpenOptions = { read: true, write: true, truncate: true, create: true };

/** Whether options are what options are. */
function isOptions(options: unknown): boolean {
  return options === undefined || (typeof options === "object" && options !== null);
}

/** Whether something is the number of a user or a group, or says that it stays. */
function isIdOrNull(id: unknown): boolean {
  return typeof id === "number" || id === null;
}

/** Files that queues have opened for callers of Deno's functions. */
const files = new WeakSet<object>();

/** Whether something is a file that a queue has opened for a caller of Deno's functions. */
export function isQueueFile(value: unknown): boolean {
  return typeof value === "object" && value !== null && files.has(value);
}

/** A queue's file in the place of one of Deno's: it has all members of one. */
function asFsFile(file: object): Deno.FsFile {
  files.add(file);
  return file as Deno.FsFile;
}

/** Make the functions that take the place of Deno's. */
export function makeDenoCalls(deno: DenoCalls, gate: Gate): DenoCalls {
  /** A call of a path, and of what its caller may change before the call's turn. */
  const onPath = <V>(
    path: DenoPath,
    plain: () => Promise<V>,
    queued: (ioq: Ioq) => Promise<V>,
    ...mutable: unknown[]
  ) =>
    isPath(path)
      ? gate.call(isFixed(path) && mutable.every((it) => it === undefined), plain, queued)
      : plain();
  /** A call of two paths. */
  const onPaths = (
    from: DenoPath,
    to: DenoPath,
    plain: () => Promise<void>,
    queued: (ioq: Ioq) => Promise<void>,
  ) => isPath(from) && isPath(to) ? gate.call(isFixed(from, to), plain, queued) : plain();

  return {
    stat(path) {
      return onPath(path, () => deno.stat(path), (ioq) => ioq.stat(path));
    },
    lstat(path) {
      return onPath(path, () => deno.lstat(path), (ioq) => ioq.lstat(path));
    },
    readDir(path) {
      return isPath(path) ? listing(deno, gate, path) : deno.readDir(path);
    },
    readFile(path, options) {
      return onPath(
        path,
        () => deno.readFile(path, options),
        (ioq) => ioq.readFile(path, pick(options, SIGNAL)),
        options,
      );
    },
    readTextFile(path, options) {
      return onPath(
        path,
        () => deno.readTextFile(path, options),
        (ioq) => ioq.readTextFile(path, pick(options, SIGNAL)),
        options,
      );
    },
    writeFile(path, data, options) {
      const plain = () => deno.writeFile(path, data, options);
      return data instanceof Uint8Array && isOptions(options)
        ? onPath(
          path,
          plain,
          (ioq) => ioq.writeFile(path, data, pick(options, WRITE_OPTIONS)),
          data,
        )
        : plain();
    },
    writeTextFile(path, data, options) {
      const plain = () => deno.writeTextFile(path, data, options);
      return typeof data === "string" && isOptions(options)
        ? onPath(
          path,
          plain,
          (ioq) => ioq.writeTextFile(path, data, pick(options, WRITE_OPTIONS)),
          options,
        )
        : plain();
    },
    open(path, options) {
      const plain = () => deno.open(path, options);
      return isOptions(options)
        ? onPath(
          path,
          plain,
          async (ioq) =>
            asFsFile(
              await ioq.openFile(
                path,
                options === undefined ? { read: true } : pick(options, OPEN_OPTIONS),
              ),
            ),
          options,
        )
        : plain();
    },
    create(path) {
      return onPath(
        path,
        () => deno.create(path),
        async (ioq) => asFsFile(await ioq.openFile(path, CREATE)),
      );
    },
    mkdir(path, options) {
      const plain = () => deno.mkdir(path, options);
      return options?.recursive
        ? plain()
        : onPath(path, plain, (ioq) => ioq.mkdir(path, pick(options, ["mode"])), options);
    },
    remove(path, options) {
      const plain = () => deno.remove(path, options);
      return !isOptions(options) || options?.recursive
        ? plain()
        : onPath(path, plain, (ioq) => ioq.remove(path), options);
    },
    rename(from, to) {
      return onPaths(from, to, () => deno.rename(from, to), (ioq) => ioq.rename(from, to));
    },
    copyFile(from, to) {
      return onPaths(from, to, () => deno.copyFile(from, to), (ioq) => ioq.copyFile(from, to));
    },
    async link(from: string, to: string): Promise<void> {
      return await onPaths(from, to, () => deno.link(from, to), (ioq) => ioq.link(from, to));
    },
    symlink(target, path, options) {
      const plain = () => deno.symlink(target, path, options);
      return options === undefined && isPath(target) && isPath(path)
        ? gate.call(isFixed(path), plain, (ioq) => ioq.symlink(target, path))
        : plain();
    },
    readLink(path) {
      return onPath(path, () => deno.readLink(path), (ioq) => ioq.readLink(path));
    },
    realPath(path) {
      return onPath(path, () => deno.realPath(path), (ioq) => ioq.realPath(path));
    },
    chmod(path, mode) {
      const plain = () => deno.chmod(path, mode);
      return typeof mode === "number"
        ? onPath(path, plain, (ioq) => ioq.chmod(path, mode))
        : plain();
    },
    chown(path, uid, gid) {
      const plain = () => deno.chown(path, uid, gid);
      return isIdOrNull(uid) && isIdOrNull(gid)
        ? onPath(path, plain, (ioq) => ioq.chown(path, uid, gid))
        : plain();
    },
    utime(path, atime, mtime) {
      return onPath(
        path,
        () => deno.utime(path, atime, mtime),
        (ioq) => ioq.utime(path, atime, mtime),
        [atime, mtime].find((time) => typeof time === "object"),
      );
    },
    truncate(path, length) {
      const plain = () => deno.truncate(path, length);
      return length === undefined || typeof length === "number"
        ? onPath(path, plain, (ioq) => ioq.truncate(path, length))
        : plain();
    },
  };
}

/** The entries of a directory, which is read when the first is asked for. */
function listing(deno: DenoCalls, gate: Gate, path: DenoPath): AsyncIterable<Deno.DirEntry> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<Deno.DirEntry> {
      let entries: AsyncIterator<Deno.DirEntry> | undefined;
      return {
        next() {
          if (entries !== undefined) {
            return entries.next();
          }
          if (gate.ioq !== undefined) {
            return (entries = entriesOf(gate.ioq, path)).next();
          }
          // Deno makes a call for each entry: the gate hears of the first
          const own = entries = deno.readDir(path)[Symbol.asyncIterator]();
          return gate.call(false, () => own.next(), () => own.next(), LISTING);
        },
        return(value?: unknown) {
          entries ??= deno.readDir(path)[Symbol.asyncIterator]();
          return entries.return!(value);
        },
      };
    },
  };
}

/** The entries of a directory by a queue, in Deno's shape. */
function entriesOf(ioq: Ioq, path: DenoPath): AsyncIterator<Deno.DirEntry> {
  let entries: Promise<Deno.DirEntry[]> | undefined;
  let next = 0;
  let isOver = false;
  const end = (value?: unknown) => ({ done: true as const, value });
  return {
    async next() {
      if (isOver) {
        return end();
      }
      let list;
      try {
        list = await (entries ??= ioq.readDir(path));
      } catch (error) {
        isOver = true;
        throw error;
      }
      const entry = list[next++];
      if (entry === undefined) {
        isOver = true;
        return end();
      }
      if ("rawName" in entry) {
        delete entry.rawName;
      }
      return { done: false, value: entry };
    },
    return(value?: unknown) {
      isOver = true;
      return Promise.resolve(end(value));
    },
  };
}
