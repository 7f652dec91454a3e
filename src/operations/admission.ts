// Copyright 2026 the ioq authors. MIT license.

/**
 * What a request may do, decided when a queue takes it: each of its paths is asked for,
 * and so is the file of a descriptor that this thread did not open.
 *
 *     request ──▶ admit() ──▶ the same, if all is granted
 *                        └──▶ its like, with the paths that were asked for
 *
 * A path that begins at a descriptor is asked for by its real path, and then taken by
 * that: what is opened is what was asked for.
 *
 * By the time that a request is run the number of a descriptor may be another file. Where
 * only some paths are granted, a request goes by the number of no descriptor but those that
 * this thread opened, and these are closed by this thread alone, when no request is left.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { AT_FDCWD, O_DIRECTORY } from "../linux/fcntl.ts";
import { isAbsolute, joinPath, pathText } from "../path.ts";
import {
  type Access,
  checkAccess,
  checkAccessForSymlink,
  checkRemoval,
  isAllAllowed,
  mayAccessAll,
  READ,
  WRITE,
} from "../permissions.ts";
import {
  Closing,
  confinedDescriptor,
  confineOpened,
  isOurs,
  openedPath,
  removeDescriptor,
  restoreDescriptor,
  Use,
} from "./descriptors.ts";
import { CoreRequest, type Holder, REMOVE_TREE } from "./request.ts";
import type { OpName } from "./values.ts";

/**
 * Tells the real path of a descriptor's file, if it has one that can be found out; if asked
 * for, the last one that it had.
 */
export type FindPath = (fd: number, last?: boolean) => string | undefined;

/** In the flags of a `rename`: both files change places, so that both are read as well. */
const RENAME_EXCHANGE = 2;

/** Standard input, output and errors are for everyone. */
const STANDARD_MAX = 2;

/**
 * Check that a request may be made.
 *
 * @param request The request; it is not changed.
 * @param findPath Tells where descriptors lead.
 * @returns What to run.
 * @throws {Deno.errors.NotCapable} If a permission is missing.
 * @throws {Deno.errors.NotFound} If a path is to be taken for missing.
 */
export function admit<K extends OpName>(
  request: CoreRequest<K>,
  findPath: FindPath,
): CoreRequest<K> {
  if (request.trusted) {
    if (request.isClose) {
      removeDescriptor(request.fd);
    }
    return request;
  }
  const { path, path2 } = request;
  let { access, access2 } = request;
  if (access === 0 && access2 === 0 && request.op !== "symlink") {
    // An empty path stands for the descriptor
    if (request.fd >= 0 && (path === undefined || path.length === 0)) {
      const real = checkDescriptors(request, findPath);
      if (real !== undefined) {
        // By its number it might be another file by the time that it is changed
        const at2 = { fd: request.fd2, path: path2 };
        return likeOf(request, { fd: AT_FDCWD, path: real }, at2, 0);
      }
      return track(request);
    }
    return request;
  }
  const isDescriptors = path !== undefined && path.length === 0 && request.fd >= 0;
  if (isDescriptors) {
    checkDescriptors(request, findPath);
    access = 0;
  }
  if (request.op === "rename" && (request.flags & RENAME_EXCHANGE) !== 0) {
    access2 = READ | WRITE;
  }
  let at = { fd: request.fd, path };
  let at2 = { fd: request.fd2, path: path2 };
  if (access !== 0) {
    at = place(request, path!, request.fd, access, findPath, request.given);
  }
  if (request.op === "symlink") {
    checkAccessForSymlink();
  } else if (access2 !== 0 && path2 !== undefined) {
    at2 = place(request, path2!, request.fd2, access2, findPath, request.given2);
  }
  // The path was checked as it is written: the core looks where it leads
  // Directories are opened by openDir as well: what is in them has paths of its own
  const guarded = request.operation.opens && (request.flags & O_DIRECTORY) === 0 &&
    !isAllAllowed();
  const isSame = !guarded && at.path === path && at2.path === path2;
  const admitted = isSame ? request : likeOf(request, at, at2, guarded ? layout.HINT_GUARDED : 0);
  if (request.isOpen && isConfined()) {
    confineOpened(admitted);
  }
  return isDescriptors ? track(admitted) : admitted;
}

/** A request that was admitted is not going to be run. */
export function withdraw(request: CoreRequest): void {
  if (request.isClose) {
    restoreDescriptor(request.fd);
  }
  request.leaveHolder();
}

/** Whether there are paths that this thread may not access, so that it matters which a number is. */
function isConfined(): boolean {
  return !mayAccessAll(READ | WRITE);
}

/**
 * Have the descriptors that a request goes by stay open until it is over, and a close wait
 * for such requests, if other files are not this thread's to access.
 */
function track<K extends OpName>(request: CoreRequest<K>): CoreRequest<K> {
  let holder: Holder;
  if (request.isClose) {
    const closed = removeDescriptor(request.fd);
    if (closed?.isConfined !== true) {
      return request;
    }
    holder = new Closing(closed);
  } else {
    // A file sees to its own
    const first = request.holder === undefined ? confinedDescriptor(request.fd) : undefined;
    const second = request.fd2 >= 0 ? confinedDescriptor(request.fd2) : undefined;
    if (first === undefined && second === undefined) {
      return request;
    }
    holder = new Use(request.holder, first, second);
  }
  const at = { fd: request.fd, path: request.path };
  const tracked = likeOf(request, at, { fd: request.fd2, path: request.path2 }, 0);
  tracked.holder = holder;
  return tracked;
}

/** Where an operation is to take place. */
interface Place {
  fd: number;
  path: string | Uint8Array | undefined;
}

/** Check a path, which may begin at a descriptor. */
function place(
  request: CoreRequest,
  path: string | Uint8Array,
  fd: number,
  access: Access,
  findPath: FindPath,
  given: string | Uint8Array | undefined,
): Place {
  if (!isRelative(path, fd)) {
    return { fd, path: checkPath(request, path, access, given) };
  }
  if (isAllAllowed()) {
    return { fd, path };
  }
  const directory = findPath(fd) ?? openedPath(fd);
  if (directory === undefined) {
    requireAll(access, pathText(path));
    return { fd, path };
  }
  return { fd: AT_FDCWD, path: checkPath(request, joinPath(directory, path), access, given) };
}

/** Check a path. */
function checkPath(
  request: CoreRequest,
  path: string | Uint8Array,
  access: Access,
  given: string | Uint8Array | undefined,
): string | Uint8Array {
  return request.code === layout.OP.unlink
    ? checkRemoval(path, (request.flags & REMOVE_TREE) !== 0, given)
    : checkAccess(path, access, given);
}

/** Whether a path is relative to a directory descriptor. */
function isRelative(path: string | Uint8Array, fd: number): boolean {
  return fd !== AT_FDCWD && !isAbsolute(path);
}

/** Where nobody knows what something leads to, only all will do. */
function requireAll(access: Access, what: string): void {
  if (!mayAccessAll(access) || !isAllAllowed()) {
    const name = mayAccessAll(READ) || !(access & READ) ? "write" : "read";
    throw new Deno.errors.NotCapable(
      `Requires ${name} access to ${what}, run again with the --allow-${name} flag`,
    );
  }
}

/**
 * Check the descriptors of a request without a path.
 *
 * @returns The path by which it is to be done, if it would do to a file what that was
 *          not opened for.
 */
function checkDescriptors(
  request: CoreRequest,
  findPath: FindPath,
): string | Uint8Array | undefined {
  const { onDescriptor: access, changesInode, tellsInode: tells } = request.operation;
  if (access === 0) {
    return undefined;
  }
  let real;
  // What a file of ours is asked for, it has opened itself
  const known = request.holder !== undefined || isOurs(request.fd);
  // Attributes may be read by whoever may read the file that it turned out to be
  if (!known || changesInode || tells) {
    if (!known && !changesInode) {
      checkForeign(request.fd, access, request.isClose);
    }
    real = checkDescriptor(request.fd, access, findPath, known && tells, known && holds(request));
  }
  if (request.fd2 >= 0 && !isOurs(request.fd2)) {
    checkForeign(request.fd2, WRITE, false);
    checkDescriptor(request.fd2, WRITE, findPath);
  }
  return changesInode ? real : undefined;
}

/**
 * Whether times of a file are set that stays open until then, whoever has removed its name:
 * it is what its number stands for all the while.
 */
function holds(request: CoreRequest): boolean {
  return request.code === layout.OP.utime &&
    (request.holder !== undefined || mayAccessAll(WRITE));
}

/**
 * Check that a descriptor may be used by its number that this thread did not open: whoever
 * did may close it at any time, and what is opened then has that number.
 *
 * @param closes Whether it is to be closed, which is for nobody else if it is a standard one.
 */
function checkForeign(fd: number, access: Access, closes: boolean): void {
  if ((closes || fd > STANDARD_MAX) && isConfined()) {
    requireAll(access, `file descriptor ${fd}`);
  }
}

/** Where a path leads, as far as that may be told. */
function realPathOf(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

/** A path, if there is nothing at it any more: what is there may be a link that led elsewhere. */
function goneName(path: string | undefined): string | undefined {
  try {
    if (path !== undefined) {
      Deno.lstatSync(path);
    }
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? path : undefined;
  }
  return undefined;
}

/**
 * Check the file of a descriptor as if it was opened now.
 *
 * @param nameless Whether it is fine that no path leads to it.
 * @param held Whether it may be asked for by the last path that led to it.
 * @returns Its path, if that was what had to be asked for.
 */
function checkDescriptor(
  fd: number,
  access: Access,
  findPath: FindPath,
  nameless = false,
  held = false,
): string | Uint8Array | undefined {
  if (fd <= STANDARD_MAX || isAllAllowed()) {
    return undefined;
  }
  const path = findPath(fd) ?? realPathOf(openedPath(fd));
  if (path !== undefined) {
    return checkAccess(path, access);
  }
  const last = held ? findPath(fd, true) ?? goneName(openedPath(fd)) : undefined;
  if (last !== undefined) {
    // As for Deno, which goes by what the file was opened by
    checkAccess(last, access);
  } else if (!nameless) {
    requireAll(access, `file descriptor ${fd}`);
  }
  return undefined;
}

/** A request for the same, elsewhere. */
function likeOf<K extends OpName>(
  request: CoreRequest<K>,
  at: Place,
  at2: Place,
  hints: number,
): CoreRequest<K> {
  const { op, decode, access, flags, mode, length, offset, arg0, arg1, arg2, arg3 } = request;
  const like = new CoreRequest(op, {
    decode,
    access,
    flags,
    mode,
    length,
    offset,
    arg0,
    arg1,
    arg2,
    arg3,
    fd: at.fd,
    fd2: at2.fd,
    ...(at.path === undefined ? {} : { path: at.path }),
    ...(at2.path === undefined ? {} : { path2: at2.path }),
  });
  like.bytes = request.bytes;
  like.target = request.target;
  like.sources = request.sources;
  like.targets = request.targets;
  like.holder = request.holder;
  like.given = request.given;
  like.given2 = request.given2;
  like.origin = request.origin;
  like.hints = request.hints | hints;
  return like;
}
