// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests: an operation with its arguments, as the queue and the backends take them.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { AT_FDCWD } from "../linux/fcntl.ts";
import { checkInteger } from "../integer.ts";
import { absolutePath, isAbsolute, pathText } from "../path.ts";
import type { Access } from "../permissions.ts";
import type { Decoder } from "./decode.ts";
import { operationOf, type Row } from "./operation.ts";
import type { OpName, OpValues } from "./values.ts";

/**
 * In the flags of an `unlink`, beside none of the kernel's: a directory with all that
 * is in it. For where there is no native library, which removes such piece by piece.
 */
export const REMOVE_TREE = 0x10000;

/** Passed by {@linkcode CoreRequest} to its base: it stands for nothing but itself. */
const ITSELF: unique symbol = Symbol("ioq.itself");

/** What is behind a request, if a value is one. */
let coreOf: (value: object) => CoreRequest<OpName, unknown> | undefined;

/**
 * A request: an operation with its arguments, made by {@linkcode op} and by nothing else.
 * It is a value: nothing changes it any more, and it may be submitted any number of times,
 * also at the same time.
 *
 * @typeParam K The operation's name.
 * @typeParam V What it resolves to.
 *
 * What the library knows of it is behind a private field, so nobody else can change that
 * while the request waits, or make one that was not checked.
 * @category Requests
 */
export class IoqRequest<K extends OpName = OpName, V = OpValues[K]> {
  readonly #core: CoreRequest<K, V>;

  static {
    coreOf = (value) => #core in value ? value.#core : undefined;
    Object.freeze(this.prototype);
  }

  /**
   * Made by {@linkcode op}.
   *
   * @param of A request, to be the same as that.
   * @throws {TypeError} If it is none.
   */
  constructor(of: IoqRequest<K, V> | symbol) {
    if (typeof of !== "symbol") {
      this.#core = of.#core;
    } else if (of === ITSELF) {
      this.#core = (this as IoqRequest<K, V>) as CoreRequest<K, V>;
    } else {
      throw new TypeError("Expected a request, as the functions of op make them");
    }
  }

  /** The operation. */
  get op(): K {
    return this.#core.name;
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `IoqRequest { ${this.#core.context} }`;
  }
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

const { assign, hasOwn } = Object;

/** What a request is made of. */
export interface RequestArguments<V> {
  /** How to read what it produced, if not as its row has it. */
  decode?: Decoder<V>;
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

/** What an operation resolves to; of any operation nobody knows. */
type ValueOf<K extends OpName> = OpName extends K ? unknown : OpValues[K];

/**
 * A request with everything a backend needs; what is made for callers is a
 * {@linkcode IoqRequest} of its own in front of one. All have the same fields in the
 * same order, which keeps the code that reads them monomorphic. For the same
 * reason the fields have values before the arguments are looked at, whose shapes
 * are many: what has to be fast, a transfer, is made without them.
 */
export class CoreRequest<K extends OpName = OpName, V = ValueOf<K>> extends IoqRequest<K, V> {
  /** The operation; {@linkcode IoqRequest.op} is this. */
  readonly name: K;
  /** Its row. */
  readonly operation: Row;
  readonly code: number;
  decode: Decoder<V>;
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
  /** Its paths as they were given, for messages, if these are others. */
  given: string | Uint8Array | undefined = undefined;
  given2: string | Uint8Array | undefined = undefined;
  /** What to write. */
  bytes: Uint8Array | undefined = undefined;
  /** Where to read to. */
  target: Uint8Array<ArrayBuffer> | undefined = undefined;
  /** Whether its paths have been checked already, or need not be. */
  trusted = false;
  /** Who keeps its descriptor open. */
  holder: Holder | undefined = undefined;
  /** Of which request it is the like, with paths that were asked for. */
  origin: CoreRequest = this;
  /** Both of these in several places. */
  sources: readonly Uint8Array[] | undefined = undefined;
  targets: readonly Uint8Array<ArrayBuffer>[] | undefined = undefined;

  constructor(op: K, args?: RequestArguments<V>) {
    super(ITSELF);
    const operation = operationOf(op);
    this.name = op;
    this.operation = operation;
    this.code = operation.code;
    // Unless the arguments say otherwise, and then the type is theirs
    this.decode = operation.decode as Decoder<V>;
    this.access2 = operation.access2;
    this.flags = operation.flags;
    if (args !== undefined) {
      // Own properties only: what Object.prototype was given is nobody's argument
      assign(this, args);
      this.flags |= operation.flags;
      if (hasOwn(args, "offset")) {
        this.hints = layout.HINT_OFFSET;
      }
      if (this.path !== undefined && !hasOwn(args, "access")) {
        this.access = operation.access;
      }
    }
  }

  /** It is over: tell whoever keeps its descriptor open, who knows it as it was asked for. */
  leaveHolder(): void {
    this.holder?.leave(this.origin);
  }

  /** Have what it produced read in another way. */
  readBy<W>(decode: Decoder<W>): CoreRequest<K, W> {
    (this as CoreRequest<K, unknown>).decode = decode;
    return (this as CoreRequest<K, unknown>) as CoreRequest<K, W>;
  }

  /** Give it the path that it is about, and a directory's descriptor where that begins. */
  setPath(path: string | Uint8Array, at: number, access: Access = this.operation.access): void {
    this.access = access;
    this.fd = at;
    this.path = path;
    this.resolvePaths();
  }

  /** Give it a place in its file; without one it is at the file's own position. */
  setOffset(offset: number | undefined): void {
    if (offset !== undefined) {
      this.offset = checkInteger(offset, "offset", 0, Number.MAX_SAFE_INTEGER);
      this.hints = layout.HINT_OFFSET;
    }
  }

  /** Have its paths lead to the same files whatever the current directory will be. */
  resolvePaths(): void {
    const { path, path2 } = this;
    if (path !== undefined && this.access !== 0 && this.fd === AT_FDCWD && !isAbsolute(path)) {
      this.given = path;
      this.path = absolutePath(path);
    }
    if (path2 !== undefined && this.access2 !== 0 && this.fd2 === AT_FDCWD && !isAbsolute(path2)) {
      this.given2 = path2;
      this.path2 = absolutePath(path2);
    }
  }

  /** Whether it opens a descriptor, which then is this thread's. */
  get isOpen(): boolean {
    return this.code === layout.OP.open || this.code === layout.OP.openDir ||
      this.code === layout.OP.replaceBegin;
  }

  /** Whether it opens one that nobody but the library knows. */
  get isInternal(): boolean {
    return this.trusted || this.code === layout.OP.replaceBegin;
  }

  /** Whether it closes a descriptor: such requests are never cancelled. */
  get isClose(): boolean {
    return this.operation.closes;
  }

  /** What is being done to what, for messages. */
  get context(): string {
    const { verb } = this.operation;
    const path = this.given ?? this.path;
    const path2 = this.given2 ?? this.path2;
    if (this.operation.about !== undefined) {
      return `${verb} ${this.operation.about(this)}`;
    }
    if (path2 !== undefined) {
      return `${verb} '${pathText(path!)}' -> '${pathText(path2)}'`;
    }
    if (path !== undefined) {
      return `${verb} '${pathText(path)}'`;
    }
    return this.fd === AT_FDCWD ? verb : `${verb} file descriptor ${this.fd}`;
  }
}

/** By its short name, which would hide the runtime's `Request` from callers. */
export type Request<K extends OpName = OpName, V = OpValues[K]> = IoqRequest<K, V>;

/** A request for callers. */
export function request<K extends OpName>(
  op: K,
  args?: RequestArguments<OpValues[K]>,
): IoqRequest<K> {
  const core = new CoreRequest<K, OpValues[K]>(op, args);
  core.resolvePaths();
  return new IoqRequest(core);
}

/**
 * Check that a value is a request that {@linkcode op} made.
 *
 * @throws {TypeError} If it is not.
 */
export function toCoreRequest<K extends OpName, V>(request: IoqRequest<K, V>): CoreRequest<K, V> {
  const core = typeof request === "object" && request !== null ? coreOf(request) : undefined;
  if (core === undefined) {
    throw new TypeError("Expected a request, as the functions of op make them");
  }
  return core as CoreRequest<K, V>;
}
