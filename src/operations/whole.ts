// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole files and directories, opened, gone through and closed by one request; and
 * the blocks of a directory.
 *
 * @module
 */

import type { PlainCall } from "./operation.ts";
import { ERRNO, UNSUPPORTED } from "../linux/errors.ts";
import { ENOTREG, ESAMEFILE, OP, TRANSFER_MAX } from "../../ffi/layout.ts";
import { decodeBytes, decodeEntries, decodeNothing } from "./decode.ts";
import { define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { ownOption as own } from "../own_option.ts";
import { byteLengthOf } from "../byte_length.ts";
import { O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } from "../linux/fcntl.ts";
import { request } from "./request.ts";
import { toPath } from "../path.ts";
import { checkAt, checkBytes, checkFd, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";

function plainReadFile(call: PlainCall): number {
  call.payload = call.readFifo() ?? Deno.readFileSync(call.path);
  return call.payload.length > TRANSFER_MAX ? call.fail(ERRNO.EFBIG!) : call.payload.length;
}

function plainWriteFile(call: PlainCall): number {
  const { fs, bytes } = call;
  if (call.writeFifo()) {
    return bytes.length;
  }
  const fd = call.open(call.flags);
  try {
    if (call.arg0) {
      fs.fchmodSync(fd, call.mode);
    }
    call.writeAll(fd, bytes, null);
  } finally {
    fs.closeSync(fd);
  }
  return bytes.length;
}

function plainCopyFile(call: PlainCall): number {
  const source = Deno.statSync(call.path);
  if (!source.isFile) {
    call.fail(ENOTREG);
  }
  let target;
  try {
    target = Deno.statSync(call.path2);
  } catch {
    // There is none yet; any other reason stands in the way of the copy, too
  }
  if (target !== undefined && target.dev === source.dev && target.ino === source.ino) {
    call.fail(ESAMEFILE);
  }
  Deno.copyFileSync(call.path, call.path2);
  return 0;
}

function plainReadDir(call: PlainCall): number {
  call.putEntries();
  return 0;
}

define("readFile", {
  code: OP.readFile,
  verb: "readfile",
  access: READ,
  opens: true,
  lane: "lane",
  decode: decodeBytes,
  plain: plainReadFile,
});
export const readFile: OpBuilders["readFile"] = (path, options) =>
  pathRequest("readFile", path, options);

define("writeFile", {
  code: OP.writeFile,
  verb: "writefile",
  access: WRITE,
  opens: true,
  lane: "lane",
  decode: decodeNothing,
  plain: plainWriteFile,
});
export const writeFile: OpBuilders["writeFile"] = (path, bytes, options) => {
  const mode = own(options, "mode");
  return request("writeFile", {
    fd: checkAt(options),
    path: toPath(path, "writefile"),
    bytes: checkBytes(bytes, "bytes"),
    length: byteLengthOf(bytes),
    flags: O_WRONLY | (own(options, "append") === true ? O_APPEND : O_TRUNC) |
      (own(options, "createNew") === true
        ? O_CREAT | O_EXCL
        : (own(options, "create") ?? true) === true
        ? O_CREAT
        : 0),
    mode: checkMode(mode, 0o666),
    arg0: mode === undefined ? 0 : 1,
  });
};

define("copyFile", {
  code: OP.copyFile,
  verb: "copy",
  access: READ,
  access2: WRITE,
  opens: true,
  lane: "lane",
  decode: decodeNothing,
  plain: plainCopyFile,
});
export const copyFile: OpBuilders["copyFile"] = (from, to) =>
  request("copyFile", { path: toPath(from, "copy"), path2: toPath(to, "copy") });

define("readDir", {
  code: OP.readDir,
  verb: "readdir",
  access: READ,
  lane: "lane",
  decode: decodeEntries,
  plain: plainReadDir,
});
export const readDir: OpBuilders["readDir"] = (path, options) =>
  pathRequest("readDir", path, options);

define("readDirBlock", {
  code: OP.readDirBlock,
  verb: "readdir",
  onDescriptor: READ,
  lane: "lane",
  decode: decodeEntries,
  plain: UNSUPPORTED.readDirBlock,
});
export const readDirBlock: OpBuilders["readDirBlock"] = (fd) =>
  request("readDirBlock", { fd: checkFd(fd) });
