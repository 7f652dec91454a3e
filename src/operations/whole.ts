// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole files and directories, opened, gone through and closed by one request; and
 * the blocks of a directory.
 *
 * @module
 */

import type { PlainCall } from "./plain_call.ts";
import { ERRNO, UNSUPPORTED } from "../linux/errors.ts";
import {
  ENOTREG,
  ESAMEFILE,
  OP,
  TRANSFER_MAX,
  WRITE_ATOMIC,
  WRITE_DURABLE,
} from "../../ffi/layout.ts";
import { decodeBytes, decodeEntries, decodeNothing } from "./decode.ts";
import { define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { byteLengthOf } from "../byte_length.ts";
import { aboutFile, writeArguments } from "./replace.ts";
import { request } from "./request.ts";
import { toPath } from "../path.ts";
import { ownOption as own } from "../own_option.ts";
import { checkAt, checkBytes, checkDirectory, checkFd, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";

/** How much is read at first of a file whose size is not told. */
const FIRST_LENGTH = 64 * 1024;

/** Read a file; one that has more than it may is not read to its end, which it may not have. */
function plainReadFile(call: PlainCall): number {
  const fifo = call.readFifo();
  if (fifo !== undefined) {
    call.payload = fifo;
    return fifo.length > (call.arg0 > 0 ? call.arg0 : TRANSFER_MAX)
      ? call.fail(ERRNO.EFBIG!)
      : fifo.length;
  }
  using file = Deno.openSync(call.path);
  // By its path, which is what permissions are about: of an open file the runtime asks for
  // where links have led. All of it is a hint
  const { size, isFile, isCharDevice } = Deno.statSync(call.path);
  // A pipe cannot be read again from its beginning
  const again = isFile || isCharDevice === true && !file.isTerminal();
  const most = Math.min(
    again && call.length > 0 ? call.length : TRANSFER_MAX,
    call.arg0 > 0 ? call.arg0 : TRANSFER_MAX,
  );
  if (size > most) {
    call.fail(ERRNO.EFBIG!);
  }
  // One more, so that the end is found without growing
  let bytes = new Uint8Array(size > 0 ? size + 1 : FIRST_LENGTH);
  let length = 0;
  for (let count; (count = file.readSync(bytes.subarray(length))) !== null;) {
    length += count;
    if (length > most) {
      call.fail(ERRNO.EFBIG!);
    }
    if (length === bytes.length) {
      const more = new Uint8Array(2 * length);
      more.set(bytes);
      bytes = more;
    }
  }
  call.payload = bytes.subarray(0, length);
  return length;
}

function plainWriteFile(call: PlainCall): number {
  const { fs, bytes } = call;
  if (call.arg1 & WRITE_ATOMIC) {
    return call.replace();
  }
  if (call.writeFifo()) {
    return bytes.length;
  }
  const fd = call.open(call.flags);
  try {
    if (call.arg0) {
      fs.fchmodSync(fd, call.mode);
    }
    call.writeAll(fd, bytes, null);
    if (call.arg1 & WRITE_DURABLE) {
      call.makeDurable(fd);
    }
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
  // A temporary file, if there is to be one
  access2: READ | WRITE,
  opens: true,
  lane: "lane",
  about: aboutFile,
  decode: decodeNothing,
  plain: plainWriteFile,
});
export const writeFile: OpBuilders["writeFile"] = (path, bytes, options) =>
  request("writeFile", {
    ...writeArguments(toPath(path, "writefile"), options),
    bytes: checkBytes(bytes, "bytes"),
    length: byteLengthOf(bytes),
  });

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
export const copyFile: OpBuilders["copyFile"] = (from, to, options) =>
  request("copyFile", {
    fd: checkAt(options),
    fd2: checkDirectory(own(options, "toAt"), "toAt"),
    path: toPath(from, "copy"),
    path2: toPath(to, "copy"),
  });

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
