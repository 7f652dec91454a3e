// Copyright 2026 the ioq authors. MIT license.

/**
 * Extended attributes, see `xattr(7)`.
 *
 * @module
 */

import { OP } from "../../ffi/layout.ts";
import { decodeCopy, decodeNames, decodeNothing } from "./decode.ts";
import { type About, define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { ownOption as own } from "../own_option.ts";
import { byteLengthOf } from "../byte_length.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../linux/fcntl.ts";
import { type IoqRequest, request } from "./request.ts";
import { verbOf } from "./operation.ts";
import { type Path, pathText, toPath } from "../path.ts";
import { checkAt, checkBytes, checkFd } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";
import type { XattrOptions } from "./request_options.ts";

/** Which attribute of which file. */
function about({ fd, path, path2, given }: About): string {
  const name = path2 === undefined ? "" : `'${pathText(path2)}' of `;
  const file = path!.length > 0 || fd === AT_FDCWD
    ? `'${pathText(given ?? path!)}'`
    : `file descriptor ${fd}`;
  return name + file;
}

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

/** A request for extended attributes. */
function xattrRequest<K extends "getXattr" | "setXattr" | "listXattr" | "removeXattr">(
  op: K,
  file: Path | number,
  name: string | undefined,
  options: XattrOptions | undefined,
  more: { bytes?: Uint8Array; length?: number; mode?: number } = {},
): IoqRequest<K> {
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`Expected name to be a string, got ${typeof name}`);
  }
  return request(op, {
    ...(typeof file === "number"
      ? { fd: checkFd(file), path: "", access: 0 }
      : { fd: checkAt(options), path: toPath(file, verbOf(op)) }),
    ...(name === undefined ? {} : { path2: toPath(name, verbOf(op)) }),
    flags: own(options, "followSymlinks") === false ? AT_SYMLINK_NOFOLLOW : 0,
    ...more,
  });
}

define("getXattr", {
  code: OP.getXattr,
  verb: "getxattr",
  access: READ,
  about,
  onDescriptor: READ,
  tellsInode: true,
  lane: "overflow",
  decode: decodeCopy,
});
export const getXattr: OpBuilders["getXattr"] = (file, name, options) =>
  xattrRequest("getXattr", file, name, options);

define("setXattr", {
  code: OP.setXattr,
  verb: "setxattr",
  access: WRITE,
  about,
  onDescriptor: WRITE,
  changesInode: true,
  lane: "overflow",
  decode: decodeNothing,
});
export const setXattr: OpBuilders["setXattr"] = (file, name, value, options) =>
  xattrRequest("setXattr", file, name, options, {
    bytes: checkBytes(value, "value"),
    length: byteLengthOf(value),
    mode: (own(options, "create") ? XATTR_CREATE : 0) |
      (own(options, "replace") ? XATTR_REPLACE : 0),
  });

define("listXattr", {
  code: OP.listXattr,
  verb: "listxattr",
  access: READ,
  about,
  onDescriptor: READ,
  tellsInode: true,
  lane: "lane",
  decode: decodeNames,
});
export const listXattr: OpBuilders["listXattr"] = (file, options) =>
  xattrRequest("listXattr", file, undefined, options);

define("removeXattr", {
  code: OP.removeXattr,
  verb: "removexattr",
  access: WRITE,
  about,
  onDescriptor: WRITE,
  changesInode: true,
  lane: "lane",
  decode: decodeNothing,
});
export const removeXattr: OpBuilders["removeXattr"] = (file, name, options) =>
  xattrRequest("removeXattr", file, name, options);
