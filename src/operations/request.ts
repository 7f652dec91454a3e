// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests: an operation with its arguments, as the queue and the backends take them.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { AT_FDCWD } from "../linux/fcntl.ts";
import { pathText } from "../path.ts";
import type { Access } from "../permissions.ts";
import type { Decoder } from "./decode.ts";
import { OPERATIONS } from "./table.ts";
import type { OpName } from "./values.ts";

/**
 * In the flags of an `unlink`, beside none of the kernel's: a directory with all that
 * is in it. For where there is no native library, which removes such piece by piece.
 */
export const REMOVE_TREE = 0x10000;

/**
 * A request: an operation with its arguments, made by {@linkcode op}. It may be
 * submitted any number of times.
 */
export interface Request<K extends OpName = OpName> {
  /** The operation. */
  readonly op: K;
}

/**
 * Who keeps a descriptor open for a request, and is told when the request is over.
 * The promise of an aborted one rejects earlier, while the kernel or a lane may
 * still be at the descriptor.
 */
export interface Holder {
  /** A request is over, and may be used for something else. */
  leave(request: CoreRequest): void;
}

/** What a request is made of. */
interface RequestArguments {
  /** How to read what it produced, if not as the table has it. */
  decode?: Decoder;
  fd?: number;
  fd2?: number;
  access?: Access;
  /** Whether its paths have been checked already, or need not be. */
  trusted?: boolean;
  flags?: number;
  mode?: number;
  length?: number;
  offset?: number;
  arg0?: number;
  arg1?: number;
  arg2?: number;
  arg3?: number;
  path?: string | Uint8Array;
  path2?: string | Uint8Array;
  bytes?: Uint8Array;
  target?: Uint8Array<ArrayBuffer>;
  sources?: readonly Uint8Array[];
  targets?: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * A request with everything a backend needs. All have the same fields in the
 * same order, which keeps the code that reads them monomorphic. For the same
 * reason the fields have values before the arguments are looked at, whose shapes
 * are many: what has to be fast, a transfer, is made without them.
 */
export class CoreRequest<K extends OpName = OpName> implements Request<K> {
  readonly op: K;
  readonly code: number;
  decode: Decoder;
  access: Access = 0;
  readonly access2: Access;
  hints = 0;
  fd: number = AT_FDCWD;
  fd2: number = AT_FDCWD;
  flags: number;
  mode = 0;
  length = 0;
  offset = 0;
  arg0 = 0;
  arg1 = 0;
  arg2 = 0;
  arg3 = 0;
  path: string | Uint8Array | undefined = undefined;
  path2: string | Uint8Array | undefined = undefined;
  /** What to write. */
  bytes: Uint8Array | undefined = undefined;
  /** Where to read to. */
  target: Uint8Array<ArrayBuffer> | undefined = undefined;
  /** Whether its paths have been checked already, or need not be. */
  trusted = false;
  /** Who keeps its descriptor open. */
  holder: Holder | undefined = undefined;
  /** Both of these in several places. */
  sources: readonly Uint8Array[] | undefined = undefined;
  targets: readonly Uint8Array<ArrayBuffer>[] | undefined = undefined;

  constructor(op: K, args?: RequestArguments) {
    const [code, , flags, access, access2, decode] = OPERATIONS[op];
    this.op = op;
    this.code = code;
    this.decode = args?.decode ?? decode;
    this.access2 = access2;
    this.flags = flags;
    if (args !== undefined) {
      this.access = args.access ?? (args.path === undefined ? 0 : access);
      this.hints = args.offset === undefined ? 0 : layout.HINT_OFFSET;
      this.fd = args.fd ?? AT_FDCWD;
      this.fd2 = args.fd2 ?? AT_FDCWD;
      this.flags = flags | (args.flags ?? 0);
      this.mode = args.mode ?? 0;
      this.length = args.length ?? 0;
      this.offset = args.offset ?? 0;
      this.arg0 = args.arg0 ?? 0;
      this.arg1 = args.arg1 ?? 0;
      this.arg2 = args.arg2 ?? 0;
      this.arg3 = args.arg3 ?? 0;
      this.path = args.path;
      this.path2 = args.path2;
      this.bytes = args.bytes;
      this.target = args.target;
      this.sources = args.sources;
      this.targets = args.targets;
      this.trusted = args.trusted ?? false;
    }
  }

  /** Whether it closes a descriptor: such requests are never cancelled. */
  get isClose(): boolean {
    return this.code === layout.OP.close || this.code === layout.OP.closeDir;
  }

  /** What is being done to what, for messages. */
  get context(): string {
    const verb = OPERATIONS[this.op][1];
    if (this.code >= layout.OP.getXattr && this.code <= layout.OP.removeXattr) {
      const name = this.path2 === undefined ? "" : ` '${pathText(this.path2)}' of`;
      const file = this.path!.length > 0 || this.fd === AT_FDCWD
        ? `'${pathText(this.path!)}'`
        : `file descriptor ${this.fd}`;
      return `${verb}${name} ${file}`;
    }
    if (this.op === "rawSqe") {
      return `${verb} opcode ${(this.path as Uint8Array)[0]}`;
    }
    if (this.path2 !== undefined) {
      return `${verb} '${pathText(this.path!)}' -> '${pathText(this.path2)}'`;
    }
    if (this.path !== undefined) {
      return `${verb} '${pathText(this.path)}'`;
    }
    return this.fd === AT_FDCWD ? verb : `${verb} file descriptor ${this.fd}`;
  }
}

/**
 * Check that a value is a request that {@linkcode op} made.
 *
 * @throws {TypeError} If it is not.
 */
export function toCoreRequest<K extends OpName>(request: Request<K>): CoreRequest<K> {
  if (!(request instanceof CoreRequest)) {
    throw new TypeError("Expected a request, as the functions of op make them");
  }
  return request;
}
