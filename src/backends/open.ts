// Copyright 2026 the ioq authors. MIT license.

/**
 * Choosing a backend, and telling why it is that one.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Library, LibraryError, loadLibrary, readEnv } from "../../ffi/library.ts";
import type { Backend, BackendInfo, BackendKind, Sink } from "../backend.ts";
import { OP, TIMEOUT_ABSOLUTE } from "../../ffi/layout.ts";
import { errnoCode, UNSUPPORTED } from "../errors.ts";
import type { CoreRequest } from "../operation/request.ts";
import { clockOf } from "./timers.ts";
import { MainThreadBackend } from "./main_thread.ts";
import { explainRingError, NativeBackend, NativeOpenError } from "./native.ts";
import { LibraryExecutor } from "./worker/with_library.ts";
import { DenoExecutor, refusalOf } from "./worker/without_library.ts";
import { WorkerBackend } from "./worker.ts";

/**
 * Key of an option of `Ioq.open()`, for the tests of the library itself: the module
 * that Workers are to run, `null` if none may be started.
 */
export const LANE: unique symbol = Symbol("ioq.lane");

/** What was asked for. */
export interface BackendChoice {
  /** Which kind, or the best there is. */
  readonly backend: "auto" | BackendKind;
  /** Bound on requests that are in flight. */
  readonly depth: number;
  /** The most worker threads. */
  readonly threads: number;
  /** Whether worker threads have rings of their own. */
  readonly threadRings: boolean;
  /** Whether raw SQEs are taken. */
  readonly rawSqe: boolean;
  /** The native library's file, if a certain one is wanted. */
  readonly library: string | undefined;
  /** Another module for Workers; `null`: none may be started. */
  readonly module: URL | null | undefined;
}

const KINDS: readonly string[] = ["auto", "uring", "threads", "worker"];

/** Check the name of a backend. */
function toKind(value: unknown, name: string): "auto" | BackendKind {
  if (typeof value !== "string" || !KINDS.includes(value)) {
    throw new TypeError(`Expected ${name} to be one of ${KINDS.join(", ")}, got ${value}`);
  }
  return value as "auto" | BackendKind;
}

/**
 * Which backend is wanted: the caller's choice, else the environment's. Read
 * before anything is tried, because some sandboxes kill a process for trying.
 */
export function chooseBackend(option: unknown): "auto" | BackendKind {
  const chosen = option === undefined ? "auto" : toKind(option, "backend");
  if (chosen !== "auto") {
    return chosen;
  }
  const env = readEnv("IOQ_BACKEND");
  return env === undefined ? "auto" : toKind(env, "IOQ_BACKEND");
}

/** Where lanes get their code from, and what they need for that. */
const LANE_MODULE = new URL("./worker/lane.ts", import.meta.url);

/** Say so, in the words and with the code of its cause. */
class Unavailable extends Deno.errors.NotSupported {
  readonly code?: string;
  readonly errno?: number;

  constructor(message: string, cause: Error) {
    super(message, { cause });
    if (cause instanceof NativeOpenError) {
      this.code = errnoCode(cause.errno);
      this.errno = cause.errno;
    }
  }
}

/** Load the library, if it can be. */
function tryLibrary(path: string | undefined): Library | LibraryError {
  try {
    return loadLibrary(path);
  } catch (error) {
    if (error instanceof LibraryError) {
      return error;
    }
    throw error;
  }
}

/** Open a backend of the native core. */
function openNative(choice: BackendChoice, sink: Sink): Backend | Unavailable {
  const library = tryLibrary(choice.library);
  if (library instanceof LibraryError) {
    return new Unavailable(library.message, library);
  }
  const { depth, threads, threadRings, rawSqe } = choice;
  const ring = choice.backend !== "threads";
  try {
    return new NativeBackend(
      library,
      { depth, threads, ring, laneRings: threadRings, rawSqe },
      sink,
    );
  } catch (error) {
    library.release();
    if (error instanceof NativeOpenError) {
      const what = ring ? "Cannot set up a ring" : "Cannot start worker threads";
      return new Unavailable(
        `${what}: ${error.message}: ${explainRingError(error.errno)}`,
        error,
      );
    }
    throw error;
  }
}

/** Why the lanes' code may not be read, if so. */
function whyNoWorker(module: URL): string | undefined {
  if (module.protocol !== "file:") {
    return undefined;
  }
  // Lanes import what is beside them, too
  const root = fileURLToPath(new URL("../../../", module));
  const { state } = Deno.permissions.querySync({ name: "read", path: root });
  return state === "granted"
    ? undefined
    : `no Worker may be started without --allow-read=${root.replace(/(?<=.)\/$/, "")}`;
}

/** Why a request cannot be run by Workers at all, or 0. */
function refusalOnWorker(request: CoreRequest): number {
  switch (request.code) {
    case OP.poll:
      return UNSUPPORTED.poll;
    case OP.post:
    case OP.receive:
      return UNSUPPORTED.message;
    case OP.timeout:
      return (request.flags & TIMEOUT_ABSOLUTE) !== 0 && clockOf(request) === "boottime"
        ? UNSUPPORTED.boottime
        : 0;
    default:
      return 0;
  }
}

/** Open the worker backend; `preferred` is why it is not another one. */
function openWorker(
  choice: BackendChoice,
  preferred: Unavailable | undefined,
  sink: Sink,
): Backend {
  const { depth, threads } = choice;
  const library = tryLibrary(choice.library);
  const missing = library instanceof LibraryError ? library.message : undefined;
  const reasons = preferred === undefined
    ? missing === undefined ? [] : [`Without the native library: ${missing}`]
    : [preferred.message];
  const info = (lanes: number, reason?: string): BackendInfo => {
    const all = reason === undefined ? reasons : [...reasons, reason];
    return {
      kind: "worker",
      lanes,
      ...(all.length > 0 ? { reason: all.join("; ") } : {}),
      ...(preferred?.code === undefined ? {} : { code: preferred.code }),
      ...(preferred?.errno === undefined ? {} : { errno: preferred.errno }),
    };
  };
  const refuse = (request: CoreRequest) =>
    refusalOnWorker(request) || (missing === undefined ? 0 : refusalOf(request));
  const openMainThread = (reason: string) => {
    const again = tryLibrary(choice.library);
    const executor = again instanceof LibraryError
      ? new DenoExecutor()
      : new LibraryExecutor(again);
    return new MainThreadBackend(
      info(1, `${reason}: requests run on the queue's own thread`),
      executor,
      refuse,
      sink,
    );
  };

  // Lanes load it themselves. What is held here sees whether they can, and
  // interrupts them
  const held = library instanceof LibraryError ? undefined : library;
  const module = choice.module === undefined ? LANE_MODULE : choice.module;
  const reason = module === null ? "no Worker may be started" : whyNoWorker(module);
  try {
    if (module === null || reason !== undefined) {
      const backend = openMainThread(reason!);
      held?.release();
      return backend;
    }
    const options = { depth, threads, library: held, module, refuse, openMainThread };
    return new WorkerBackend(options, info(threads), sink);
  } catch (error) {
    held?.release();
    throw error;
  }
}

/**
 * Open a backend.
 *
 * @throws {Deno.errors.NotSupported} If it cannot be had, with the reason in
 *         words, `cause`, and, if the operating system refused, `code` and `errno`.
 */
export function openBackend(choice: BackendChoice, sink: Sink): Backend {
  if (choice.backend === "worker") {
    return openWorker(choice, undefined, sink);
  }
  const backend = openNative(choice, sink);
  if (!(backend instanceof Unavailable)) {
    return backend;
  }
  if (choice.backend !== "auto") {
    throw backend;
  }
  return openWorker(choice, backend, sink);
}
