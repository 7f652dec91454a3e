// Copyright 2026 the ioq authors. MIT license.

/**
 * Copying a directory with all that is in it.
 *
 * @module
 */

import { dirname } from "node:path/posix";
import { ERRNO, hasCode, osError } from "../linux/errors.ts";
import { O_EXCL, O_NOFOLLOW, O_NONBLOCK } from "../linux/fcntl.ts";
import { toCoreRequest } from "../operations/request.ts";
import { op } from "../operations/op.ts";
import type { Payload } from "../operations/payload.ts";
import { joinPath, type Path, pathText, toPath } from "../path.ts";
import { checkAccess, READ, WRITE } from "../permissions.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../linux/directory.ts";
import { Descent, type Found, type OpenDirectory } from "./descent.ts";
import { checkOptionNames } from "./known_options.ts";
import { queueOf, TREE_OPTIONS, type TreeOptions } from "./tree_options.ts";

/** How to copy a tree. */
export interface CopyTreeOptions extends TreeOptions {
  /**
   * Whether to copy over what is there: files and links are replaced, directories
   * are added to.
   *
   * @default {false}
   */
  overwrite?: boolean | undefined;
  /**
   * Whether copies have the times of the last read and the last write of what they
   * are copies of.
   *
   * @default {false}
   */
  preserveTimestamps?: boolean | undefined;
}

const COPY_OPTIONS = [...TREE_OPTIONS, "overwrite", "preserveTimestamps"];

/** What makes a directory ours until its contents are there. */
const MODE_OURS = 0o700;

/** Levels to look above a copy for its original; who goes beyond finds out later. */
const LEVELS_MAX = 4096;
const SLASH = 0x2f;

/** A directory, and what it is copied to. */
interface Pair {
  readonly from: OpenDirectory;
  readonly to: OpenDirectory;
}

/** Copies what is in directories. */
class Copier {
  readonly #descent: Descent;
  readonly #overwrite: boolean;
  readonly #times: boolean;
  /** The root of the copy, which is not copied itself. */
  target: OpenDirectory | undefined;

  constructor(descent: Descent, options: CopyTreeOptions) {
    this.#descent = descent;
    this.#overwrite = options.overwrite ?? false;
    this.#times = options.preserveTimestamps ?? false;
  }

  /** Copy all that is in a directory. */
  async copyAll(pair: Pair, depth: number): Promise<void> {
    const descent = this.#descent;
    let entries: Found[] = [];
    await descent.attempt(pair.from.path, async () => {
      entries = await descent.read(pair.from);
    });
    await descent.each(entries.filter(({ type }) => type !== DT_DIR), async (found) => {
      const to = joinPath(pair.to.path, found.path.slice(found.path.lastIndexOf("/") + 1));
      const copied = await descent.attempt(
        found.path,
        () => this.copy(pair.from.fd, pair.to.fd, found, found.name, to as string),
      );
      if (copied) {
        descent.progress(found.path);
      }
    });
    await descent.descend(
      entries.filter(({ type }) => type === DT_DIR),
      depth,
      (found) => this.#copyDirectory(pair, found, depth),
    );
  }

  /** Copy something that is no directory. */
  async copy(
    fromFd: number | undefined,
    toFd: number | undefined,
    found: Found,
    toName: string | Uint8Array,
    toPath: string,
  ): Promise<void> {
    const descent = this.#descent;
    if (found.type === DT_REG) {
      const at = toFd === undefined ? {} : { fd: toFd };
      if (this.#overwrite && await this.#isLink(at, toName)) {
        await descent.request("unlink", { ...at, path: toName });
      }
      await descent.request("copyFile", {
        ...(fromFd === undefined ? {} : { fd: fromFd }),
        ...(toFd === undefined ? {} : { fd2: toFd }),
        path: found.name,
        path2: toName,
        flags: O_NOFOLLOW | O_NONBLOCK,
        arg0: O_NOFOLLOW | O_NONBLOCK | (this.#overwrite ? 0 : O_EXCL),
        arg1: this.#times ? 1 : 0,
      });
    } else if (found.type === DT_LNK) {
      const target = await descent.request("readLink", {
        ...(fromFd === undefined ? {} : { fd: fromFd }),
        path: found.name,
        // A target need not be UTF-8
        decode: (_: number, payload: Payload) => payload.bytes().slice(),
      });
      await this.#link(toFd, target, toName);
    } else {
      throw new Deno.errors.NotSupported(
        `Cannot copy '${found.path}' to '${toPath}': it is no file, directory or symbolic link`,
      );
    }
  }

  async #isLink(at: { fd?: number }, name: string | Uint8Array): Promise<boolean> {
    try {
      return (await this.#descent.request("lstat", { ...at, path: name })).isSymlink;
    } catch (error) {
      if (hasCode(error, "ENOENT")) {
        return false;
      }
      throw error;
    }
  }

  /** Make a symbolic link, which as for Deno takes more than permission for its path. */
  async #link(at: number | undefined, target: Uint8Array, name: string | Uint8Array) {
    const descent = this.#descent;
    const make = () => descent.ioq.run(op.symlink(target, name, at === undefined ? {} : { at }));
    try {
      await make();
    } catch (error) {
      if (!this.#overwrite || !hasCode(error, "EEXIST")) {
        throw error;
      }
      // What is a directory stays, and is the error
      await descent.request("unlink", { ...(at === undefined ? {} : { fd: at }), path: name });
      await make();
    }
  }

  /** Make a directory, or take the one that is there. */
  async openTarget(
    at: number | undefined,
    name: string | Uint8Array,
    path: string,
  ): Promise<OpenDirectory> {
    const descent = this.#descent;
    try {
      await descent.request("mkdir", {
        ...(at === undefined ? {} : { fd: at }),
        path: name,
        mode: MODE_OURS,
      });
    } catch (error) {
      if (!this.#overwrite || !hasCode(error, "EEXIST")) {
        throw error;
      }
    }
    return await descent.open(at, name, path);
  }

  /** Give a copy what its original has; last, since it may take away our permission. */
  async finish({ from, to }: Pair): Promise<void> {
    const descent = this.#descent;
    const info = await descent.request("statBigInt", { fd: from.fd, path: "." });
    await descent.request("chmod", { fd: to.fd, mode: info.mode & 0o7777 });
    if (this.#times) {
      const split = (ns: bigint) => {
        const seconds = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
        return [Number(seconds), Number(ns - seconds * 1_000_000_000n)] as const;
      };
      const [accessed, accessedNs] = split(info.atimeNs);
      const [modified, modifiedNs] = split(info.mtimeNs);
      await descent.request("utime", {
        fd: to.fd,
        offset: accessed,
        arg0: modified % 0x1_0000_0000,
        arg1: Math.floor(modified / 0x1_0000_0000),
        arg2: accessedNs,
        arg3: modifiedNs,
      });
    }
  }

  async #copyDirectory(above: Pair, found: Found, depth: number): Promise<void> {
    const descent = this.#descent;
    let from: OpenDirectory | undefined;
    let to: OpenDirectory | undefined;
    try {
      const opened = await descent.attempt(found.path, async () => {
        from = await descent.open(above.from.fd, found.name, found.path);
        if (this.target?.is(from.identity)) {
          throw new Error(`Cannot copy '${found.path}' into itself`);
        }
        const name = found.path.slice(found.path.lastIndexOf("/") + 1);
        const path = joinPath(above.to.path, name) as string;
        to = await this.openTarget(above.to.fd, found.name, path);
      });
      if (!opened || from === undefined || to === undefined) {
        return;
      }
      const pair: Pair = { from, to };
      if (descent.isDeep(depth)) {
        await descent.leaveOpenBelow(above.from);
        await descent.leaveOpenBelow(above.to);
      }
      await this.copyAll(pair, depth + 1);
      if (await descent.attempt(found.path, () => this.finish(pair))) {
        descent.progress(found.path);
      }
      // Who ends early closes what is open, and comes back nowhere
      if (above.from.fd < 0) {
        await descent.comeBack(above.from, from);
      }
      if (above.to.fd < 0) {
        await descent.comeBack(above.to, to);
      }
    } finally {
      await descent.close(from?.fd ?? -1);
      await descent.close(to?.fd ?? -1);
    }
  }
}

/**
 * Copy a file, a symbolic link, or a directory with all that is in it.
 *
 * Contents, permission bits and symbolic links are copied; links are copied as
 * links and never followed, neither in the original nor in the copy, not even those
 * that somebody puts there meanwhile: see `openat(2)` and `O_NOFOLLOW`. Files that
 * have several names become several files. Named pipes, sockets and devices cannot
 * be copied.
 *
 * @param from What to copy.
 * @param to Where the copy is to be; not a directory to put it into.
 * @param options Whether to copy over what is there, and as for {@linkcode removeTree}.
 * @throws {Deno.errors.NotFound} If there is nothing at `from`, or no directory for `to`.
 * @throws {Deno.errors.AlreadyExists} If there is something at `to`, without `overwrite`.
 * @throws {Deno.errors.NotSupported} If something can not be copied.
 * @throws {Deno.errors.NotSupported} Where there is no native library.
 * @throws {Deno.errors.NotCapable} If a path may not be accessed.
 *
 * @example
 * ```ts
 * import { copyTree, Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * const path = Deno.makeTempDirSync();
 * await copyTree("src", `${path}/src`, { ioq, preserveTimestamps: true });
 * Deno.removeSync(path, { recursive: true });
 * ```
 */
export async function copyTree(
  from: Path,
  to: Path,
  options: CopyTreeOptions = {},
): Promise<void> {
  checkOptionNames(options, COPY_OPTIONS, "copyTree()");
  for (const name of ["overwrite", "preserveTimestamps"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "boolean") {
      throw new TypeError(`Expected ${name} to be a boolean, got ${typeof options[name]}`);
    }
  }
  const source = checkAccess(toPath(from, "copy"), READ);
  const target = checkAccess(toPath(to, "copy"), WRITE);
  await Descent.run("copy", source, queueOf(options), options, async (descent) => {
    const path = pathText(source);
    const copier = new Copier(descent, options);
    await descent.attempt(path, async () => {
      const info = await descent.ioq.run(toCoreRequest(op.lstat(source)));
      if (!info.isDirectory) {
        const type = info.isFile ? DT_REG : info.isSymlink ? DT_LNK : 0;
        const found: Found = { name: source, type, path };
        await copier.copy(undefined, undefined, found, target, pathText(target));
        descent.progress(path);
        return;
      }
      await copyRoot(descent, copier, source, target);
    });
  });
}

/** The path of what something is to be made in. */
function parentOf(path: string | Uint8Array): string | Uint8Array {
  if (typeof path === "string") {
    return dirname(path);
  }
  let end = path.length;
  while (end > 1 && path[end - 1] === SLASH) {
    end--;
  }
  const slash = path.subarray(0, end).lastIndexOf(SLASH);
  return slash < 0 ? "." : path.subarray(0, Math.max(1, slash));
}

/**
 * Whether a copy would be made below its original, so that nothing of it need be
 * made to find out. What cannot be told now shows when the copy is met on the way.
 */
async function isInside(
  descent: Descent,
  original: OpenDirectory,
  target: string | Uint8Array,
): Promise<boolean> {
  const path = pathText(target);
  let directory: OpenDirectory | undefined;
  try {
    // A symbolic link may lead there, a dot after it does not
    directory = await descent.open(undefined, joinPath(parentOf(target), "."), path);
    for (let level = 0; level < LEVELS_MAX && !directory.is(original.identity); level++) {
      const above = await descent.open(directory.fd, "..", path);
      await descent.close(directory.fd);
      const isRoot = above.is(directory.identity);
      directory = above;
      if (isRoot) {
        return false;
      }
    }
    return directory.is(original.identity);
  } catch (error) {
    // If it matters, what comes next fails, too
    if (error instanceof Error && "code" in error) {
      return false;
    }
    throw error;
  } finally {
    await descent.close(directory?.fd ?? -1);
  }
}

async function copyRoot(
  descent: Descent,
  copier: Copier,
  source: string | Uint8Array,
  target: string | Uint8Array,
): Promise<void> {
  const path = pathText(source);
  const directory = await descent.open(undefined, source, path);
  let copy: OpenDirectory | undefined;
  try {
    if (await isInside(descent, directory, target)) {
      throw new Error(`Cannot copy '${path}' into itself`);
    }
    copy = await copier.openTarget(undefined, target, pathText(target));
    if (copy.is(directory.identity)) {
      throw osError(ERRNO.EINVAL!, `copy '${path}' -> '${pathText(target)}'`);
    }
    copier.target = copy;
    await copier.copyAll({ from: directory, to: copy }, 0);
    await copier.finish({ from: directory, to: copy });
    descent.progress(path);
  } finally {
    await descent.close(directory.fd);
    await descent.close(copy?.fd ?? -1);
  }
}
