// Copyright 2026 the ioq authors. MIT license.

/**
 * Copying a directory with all that is in it.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { ERRNO, hasCode, osError } from "../linux/errors.ts";
import { O_EXCL, O_NOFOLLOW, O_NONBLOCK } from "../linux/fcntl.ts";
import { toCoreRequest } from "../operations/request.ts";
import { op } from "../operations/op.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import type { Payload } from "../operations/payload.ts";
import { absolutePath, joinPath, type Path, pathText, toPath } from "../path.ts";
import {
  type Access,
  accessBelow,
  checkAccess,
  checkAccessForSymlink,
  READ,
  WRITE,
} from "../permissions.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../linux/directory.ts";
import { Descent, type Found, type OpenDirectory } from "./descent.ts";
import { LaneCopier } from "./lane_copier.ts";
import { runOn } from "../queue/runner.ts";
import { isWithin, parentOf, withoutDots } from "./root_path.ts";
import { checkOptionNames } from "../known_options.ts";
import { queueOf, TREE_OPTIONS, type TreeOptions } from "./tree_options.ts";

/**
 * How to copy a tree.
 *
 * @category Many files and trees
 */
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
  /**
   * What copies have of their originals beside contents, permission bits and holes:
   * all of it with `true`, as one would back up.
   *
   * @default {false}
   */
  preserve?: boolean | PreserveOptions | undefined;
}

/**
 * What copies may have of their originals.
 *
 * @category Many files and trees
 */
export interface PreserveOptions {
  /**
   * Owner and group, as far as the caller may give files away, or the group alone. A file keeps
   * its set-user-ID bit only with its owner, and its set-group-ID bit only with its group.
   *
   * @default {false}
   */
  owner?: boolean | undefined;
  /**
   * The times of the last read and write, of symbolic links as well.
   *
   * @default {false}
   */
  times?: boolean | undefined;
  /**
   * Files and symbolic links that have several names in the tree have these in the copy, too.
   *
   * @default {false}
   */
  links?: boolean | undefined;
  /**
   * Extended attributes, and so access control lists, as far as the target can have them; those of
   * symbolic links where there is `/proc`.
   *
   * @default {false}
   */
  xattrs?: boolean | undefined;
}

const COPY_OPTIONS = [...TREE_OPTIONS, "overwrite", "preserveTimestamps", "preserve"];
const PRESERVED = ["owner", "times", "links", "xattrs"] as const;

/**
 * Check what is to be preserved.
 *
 * @throws {TypeError} If it is not one of these, or no boolean.
 */
function checkPreserve(options: CopyTreeOptions): Set<string> {
  const { preserve, preserveTimestamps } = ownOptions(options);
  const kept = new Set<string>(preserve === true ? PRESERVED : []);
  if (preserveTimestamps) {
    kept.add("times");
  }
  if (preserve !== undefined && typeof preserve !== "boolean") {
    checkOptionNames(preserve, PRESERVED, "preserve");
    for (const name of PRESERVED) {
      const value = ownOption(preserve, name);
      if (value !== undefined && typeof value !== "boolean") {
        throw new TypeError(`Expected preserve.${name} to be a boolean, got ${typeof value}`);
      }
      if (value) {
        kept.add(name);
      }
    }
  }
  return kept;
}

/** Whether nothing in the tree need be asked for by itself. */
function mayCopyAll(copier: Copier): boolean {
  try {
    copier.checkAll();
    return true;
  } catch {
    return false;
  }
}

/** Whether symbolic links may be made without asking for each. */
function mayMakeSymlinks(): boolean {
  try {
    checkAccessForSymlink();
    return true;
  } catch {
    return false;
  }
}

/** What makes a directory ours until its contents are there. */
const MODE_OURS = 0o700;

/** A directory, and what it is copied to. */
interface Pair extends Places {
  readonly from: OpenDirectory;
  readonly to: OpenDirectory;
}

/** Where something is and where its copy is to be, as permissions are asked for. */
interface Places {
  readonly source: string | Uint8Array;
  readonly target: string | Uint8Array;
}

/** The places of something in a directory. */
function placesIn({ source, target }: Places, name: string | Uint8Array): Places {
  return { source: joinPath(source, name), target: joinPath(target, name) };
}

/** The first copy of a file that has several names. */
interface FirstCopy {
  /** From the root of the copy. */
  readonly path: string | Uint8Array;
  readonly identity: string;
}

/** Copies what is in directories. */
class Copier {
  readonly #descent: Descent;
  readonly #overwrite: boolean;
  readonly #kept: ReadonlySet<string>;
  /** What the core is to copy of attributes, of `COPY_*`. */
  readonly #attributes: number;
  /** By what identifies an original that has several names: its first copy. */
  readonly #copies = new Map<string, Promise<FirstCopy | undefined>>();
  /** What cannot be copied, if that ends with an error, but not at once. */
  #uncopied: Error | undefined;
  readonly #throws: boolean;
  /** The root of the copy, which is not copied itself. */
  target: OpenDirectory | undefined;
  /** Throws if not all that is in the tree may be copied. */
  checkAll: () => void = () => {};

  constructor(descent: Descent, options: CopyTreeOptions) {
    this.#descent = descent;
    this.#overwrite = options.overwrite ?? false;
    this.#kept = checkPreserve(options);
    this.#throws = (options.onError ?? "throw") === "throw";
    this.#attributes = (this.#kept.has("times") ? layout.COPY_TIMES : 0) |
      (this.#kept.has("owner") ? layout.COPY_OWNER : 0) |
      (this.#kept.has("xattrs") ? layout.COPY_XATTRS : 0) |
      layout.COPY_NO_SET_ID;
  }

  /** What lanes are to copy by themselves, and how. */
  get how(): number {
    return this.#attributes |
      (this.#overwrite ? layout.COPY_OVERWRITE : 0) |
      (this.#kept.has("links") ? layout.COPY_NO_LINKED : 0) |
      (mayMakeSymlinks() ? 0 : layout.COPY_NO_SYMLINKS);
  }

  /**
   * All is copied that can be.
   *
   * @throws {Deno.errors.NotSupported} If something can not.
   */
  end(): void {
    if (this.#uncopied !== undefined) {
      throw this.#uncopied;
    }
  }

  /**
   * Check that something may be copied. Where errors are passed over, what may be copied is,
   * and each entry is asked for as soon as one is denied.
   *
   * @throws {Deno.errors.NotCapable} If it may not.
   */
  #permit({ source, target }: Places): void {
    try {
      this.checkAll();
    } catch (error) {
      if (this.#throws) {
        throw error;
      }
      checkAccess(source, READ);
      checkAccess(target, WRITE);
    }
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
      let isCopied = false;
      await descent.attempt(found.path, async () => {
        this.#permit(placesIn(pair, found.name));
        isCopied = await this.copy(pair.from.fd, pair.to.fd, found, found.name, to as string);
      }, `copy '${found.path}' -> '${to}'`);
      if (isCopied) {
        descent.progress(found.path);
      }
    });
    await descent.descend(
      entries.filter(({ type }) => type === DT_DIR),
      depth,
      (found, alone) => this.#copyDirectory(pair, found, depth, alone),
    );
  }

  /** Copy something that is no directory. Whether it is copied. */
  async copy(
    fromFd: number | undefined,
    toFd: number | undefined,
    found: Found,
    toName: string | Uint8Array,
    toPath: string,
  ): Promise<boolean> {
    if (found.type !== DT_REG && found.type !== DT_LNK) {
      this.refuse(found.path, toPath);
      return false;
    }
    const first = this.#kept.has("links") && toFd !== undefined && this.target !== undefined
      ? await this.#linkOrBegin(fromFd!, toFd, found, toPath)
      : undefined;
    if (first === "linked") {
      return true;
    }
    try {
      if (found.type === DT_REG) {
        await this.#copyFile(fromFd, toFd, found.name, toName);
      } else {
        const target = await this.#descent.request("readLink", {
          ...(fromFd === undefined ? {} : { fd: fromFd }),
          path: found.name,
          // A target need not be UTF-8
          decode: (_: number, payload: Payload) => payload.bytes().slice(),
        });
        await this.#link(toFd, target, toName);
        await this.#keepOfLink(fromFd, toFd, found.name, toName);
      }
      first?.(await this.#identify(toFd!, toName));
    } catch (error) {
      first?.(undefined);
      throw error;
    }
    return true;
  }

  /**
   * Something cannot be copied, and is told of: at once if others are copied all the same,
   * else when they are.
   *
   * @throws {Deno.errors.NotSupported} In the first case.
   */
  refuse(path: string, toPath: string): void {
    const error = new Deno.errors.NotSupported(
      `Cannot copy '${path}' to '${toPath}': it is no file, directory or symbolic link`,
    );
    if (!this.#throws) {
      throw error;
    }
    this.#uncopied ??= error;
  }

  /** Copy a regular file. */
  async #copyFile(
    fromFd: number | undefined,
    toFd: number | undefined,
    name: string | Uint8Array,
    toName: string | Uint8Array,
  ): Promise<void> {
    const descent = this.#descent;
    const at = toFd === undefined ? {} : { fd: toFd };
    if (this.#overwrite && await this.#isOther(at, toName)) {
      await descent.request("unlink", { ...at, path: toName });
    }
    await descent.request("copyFile", {
      ...(fromFd === undefined ? {} : { fd: fromFd }),
      ...(toFd === undefined ? {} : { fd2: toFd }),
      path: name,
      path2: toName,
      flags: O_NOFOLLOW | O_NONBLOCK,
      arg0: O_NOFOLLOW | O_NONBLOCK | (this.#overwrite ? 0 : O_EXCL),
      arg1: this.#attributes,
    });
  }

  /** What identifies a file, and how many names it has. */
  async #identify(fd: number, name: string | Uint8Array): Promise<string> {
    const { dev, ino } = await this.#descent.request("lstatBigInt", { fd, path: name });
    return `${dev}:${ino}`;
  }

  /**
   * Give the copy of a file another name, if it was copied already.
   *
   * @returns "linked", or what is to be told of the copy if this is the first; nothing
   *          if it has no other name.
   */
  async #linkOrBegin(
    fromFd: number,
    toFd: number,
    found: Found,
    toPath: string,
  ): Promise<"linked" | ((identity: string | undefined) => void) | undefined> {
    const descent = this.#descent;
    const { dev, ino, nlink } = await descent.request("lstatBigInt", {
      fd: fromFd,
      path: found.name,
    });
    if (nlink === 1n) {
      return undefined;
    }
    const key = `${dev}:${ino}`;
    for (let copy = this.#copies.get(key); copy !== undefined; copy = this.#copies.get(key)) {
      const first = await copy;
      if (first !== undefined) {
        return await this.#linkTo(first, toFd, found.name) ? "linked" : undefined;
      }
    }
    let resolve!: (copy: FirstCopy | undefined) => void;
    this.#copies.set(key, new Promise((it) => resolve = it));
    const path = toPath.slice(this.target!.path.length).replace(/^\/+/, "");
    return (identity) => {
      if (identity === undefined || typeof found.name !== "string") {
        this.#copies.delete(key);
        resolve(undefined);
      } else {
        resolve({ path, identity });
      }
    };
  }

  /** Make another name of a copy; whether it is one of that, and not of what took its place. */
  async #linkTo(first: FirstCopy, toFd: number, name: string | Uint8Array): Promise<boolean> {
    const descent = this.#descent;
    const link = () =>
      descent.request("link", {
        fd: this.target!.fd,
        path: first.path,
        fd2: toFd,
        path2: name,
      });
    try {
      try {
        await link();
      } catch (error) {
        if (!this.#overwrite || !hasCode(error, "EEXIST")) {
          throw error;
        }
        await descent.request("unlink", { fd: toFd, path: name });
        await link();
      }
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENAMETOOLONG", "EMLINK", "ENOTDIR", "EXDEV", "EPERM")) {
        return false;
      }
      throw error;
    }
    if (await this.#identify(toFd, name) === first.identity) {
      return true;
    }
    await descent.request("unlink", { fd: toFd, path: name });
    return false;
  }

  /** Give a symbolic link what its original has. */
  async #keepOfLink(
    fromFd: number | undefined,
    toFd: number | undefined,
    name: string | Uint8Array,
    toName: string | Uint8Array,
  ): Promise<void> {
    const how = this.#attributes & (layout.COPY_TIMES | layout.COPY_OWNER | layout.COPY_XATTRS);
    if (how !== 0) {
      await this.#descent.request("copyFile", {
        ...(fromFd === undefined ? {} : { fd: fromFd }),
        ...(toFd === undefined ? {} : { fd2: toFd }),
        path: name,
        path2: toName,
        arg1: how | layout.COPY_LINK,
      });
    }
  }

  /** Whether there is a link where a file is to be, or a file that has other names. */
  async #isOther(at: { fd?: number }, name: string | Uint8Array): Promise<boolean> {
    try {
      const { isSymlink, isFile, nlink } = await this.#descent.request("lstat", {
        ...at,
        path: name,
      });
      return isSymlink || isFile && this.#kept.has("links") && nlink! > 1;
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
    const make = () => runOn(descent.ioq, op.symlink(target, name, at === undefined ? {} : { at }));
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
    await descent.request("copyFile", {
      fd: from.fd,
      fd2: to.fd,
      path: ".",
      path2: ".",
      arg1: this.#attributes | layout.COPY_DIRECTORY,
    });
  }

  async #copyDirectory(
    above: Pair,
    found: Found,
    depth: number,
    alone: boolean,
  ): Promise<void> {
    const descent = this.#descent;
    let from: OpenDirectory | undefined;
    let to: OpenDirectory | undefined;
    const places = placesIn(above, found.name);
    try {
      const opened = await descent.attempt(found.path, async () => {
        this.#permit(places);
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
      const pair: Pair = { from, to, ...places };
      if (alone && descent.isDeep(depth)) {
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

/** See `functions.ts`. */
export async function copyTree(
  from: Path,
  to: Path,
  how: CopyTreeOptions = {},
): Promise<void> {
  checkOptionNames(how, COPY_OPTIONS, "copyTree()");
  const options = ownOptions(how);
  for (const name of ["overwrite", "preserveTimestamps"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "boolean") {
      throw new TypeError(`Expected ${name} to be a boolean, got ${typeof options[name]}`);
    }
  }
  checkPreserve(options);
  const given = toPath(from, "copy");
  const givenTarget = toPath(to, "copy");
  const source = checkAccess(absolutePath(given), READ, given);
  const target = withoutDots(checkAccess(absolutePath(givenTarget), WRITE, givenTarget));
  await Descent.run("copy", source, queueOf(options), options, async (descent) => {
    const path = pathText(given);
    const copier = new Copier(descent, options);
    const shownTarget = pathText(givenTarget);
    const context = `copy '${path}' -> '${shownTarget}'`;
    await descent.attempt(path, async () => {
      const info = await runOn(descent.ioq, toCoreRequest(op.lstat(source)));
      if (!info.isDirectory) {
        const type = info.isFile ? DT_REG : info.isSymlink ? DT_LNK : 0;
        const found: Found = { name: source, type, path };
        if (await copier.copy(undefined, undefined, found, target, shownTarget)) {
          descent.progress(path);
        }
        return;
      }
      copier.checkAll = () => {
        checkBelow(source, READ, path);
        checkBelow(target, WRITE, shownTarget);
      };
      descent.permit = (options.onError ?? "throw") === "throw" ? copier.checkAll : () => {
        // What is in the tree is asked for one by one, and the tree itself by all of that
        checkAccess(source, READ, given);
        checkAccess(target, WRITE, givenTarget);
      };
      descent.permit();
      const tells = ownOption(options, "onProgress") !== undefined;
      await copyRoot(descent, copier, { source, path, target, shownTarget }, tells);
    }, context);
    copier.end();
  });
}

/** What bytes a path leads to, if that can be found out. */
async function realPathOf(
  descent: Descent,
  path: string | Uint8Array,
): Promise<Uint8Array | undefined> {
  try {
    return await descent.request("realPath", {
      path,
      decode: (_: number, payload: Payload) => payload.bytes().slice(),
    });
  } catch (error) {
    descent.throwIfEnded(error);
    return undefined;
  }
}

/**
 * Whether a copy would be made below its original, so that nothing of it need be made to
 * find out. Nothing is opened for it, and no permission taken but to search what is above.
 * What cannot be told now, as where one directory is mounted twice, shows when the copy is
 * met on the way.
 */
async function isInside(
  descent: Descent,
  original: string | Uint8Array,
  target: string | Uint8Array,
): Promise<boolean> {
  // A symbolic link may lead to what the copy is made in; its own name is not followed
  const [above, below] = await Promise.all([
    realPathOf(descent, original),
    realPathOf(descent, joinPath(parentOf(target), ".")),
  ]);
  if (above === undefined || below === undefined) {
    return false;
  }
  return isWithin(below, above);
}

/**
 * Check that nothing below a path is denied, as Deno does before it removes a tree: what
 * is done there is asked for once.
 *
 * @throws {Deno.errors.NotCapable} If something is, or may be.
 */
function checkBelow(path: string | Uint8Array, access: Access, shown: string): void {
  if (accessBelow(path, access) === "each") {
    const name = access === READ ? "read" : "write";
    throw new Deno.errors.NotCapable(
      `Requires ${name} access to all in "${shown}", run again with the --allow-${name} flag`,
    );
  }
}

/** What is copied where to, each as it is opened and as it was given. */
interface Roots {
  readonly source: string | Uint8Array;
  readonly path: string;
  readonly target: string | Uint8Array;
  readonly shownTarget: string;
}

async function copyRoot(
  descent: Descent,
  copier: Copier,
  { source, path, target, shownTarget }: Roots,
  tells: boolean,
): Promise<void> {
  const directory = await descent.open(undefined, source, path);
  let copy: OpenDirectory | undefined;
  try {
    if (await isInside(descent, source, target)) {
      throw new Error(`Cannot copy '${path}' into itself`);
    }
    copy = await copier.openTarget(undefined, target, shownTarget);
    if (copy.is(directory.identity)) {
      throw osError(ERRNO.EINVAL!, `copy '${path}' -> '${shownTarget}'`);
    }
    copier.target = copy;
    const pair: Pair = { from: directory, to: copy, source, target };
    if (mayCopyAll(copier)) {
      const permit = () => copier.checkAll();
      await new LaneCopier(descent, copier, { permit, tells, to: copy }).copyAll(directory);
    } else {
      await copier.copyAll(pair, 0);
    }
    await copier.finish(pair);
    descent.progress(path);
  } finally {
    await descent.close(directory.fd);
    await descent.close(copy?.fd ?? -1);
  }
}
