// Copyright 2026 the ioq authors. MIT license.

/**
 * Choosing a backend, and telling why it is that one.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Library, LibraryError, loadLibrary, readEnv } from "../../ffi/library.ts";
import type { Backend, BackendInfo, BackendKind, LaneCounts, Sink } from "./backend.ts";
import { errnoCode } from "../linux/errors.ts";
import { explainRingError, NativeBackend, NativeOpenError } from "./native.ts";
import { NativeWaits } from "./worker/native_waits.ts";
import type { RequestRunner } from "./worker/request_runner.ts";
import { ThisThread } from "./worker/this_thread.ts";
import { Timers } from "./worker/timers.ts";
import { LibraryExecutor } from "./worker/with_library.ts";
import { DenoExecutor, refusalOf } from "./worker/without_library.ts";
import { Workers } from "./worker/workers.ts";
import { WorkerBackend, type WorkerParts } from "./worker.ts";

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
  const { depth, threads, rawSqe } = choice;
  const ring = choice.backend !== "threads";
  try {
    return new NativeBackend(
      library,
      { depth, threads, ring, rawSqe },
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

/** Open the worker backend; `preferred` is why it is not another one. */
function openWorker(
  choice: BackendChoice,
  preferred: Unavailable | undefined,
  sink: Sink,
): Backend {
  const { depth, threads } = choice;
  const found = tryLibrary(choice.library);
  const library = found instanceof LibraryError ? undefined : found;
  const reasons: string[] = [];
  if (preferred !== undefined) {
    reasons.push(preferred.message);
  } else if (found instanceof LibraryError) {
    reasons.push(`Without the native library: ${found.message}`);
  }
  const module = choice.module === undefined ? LANE_MODULE : choice.module;
  const refused = module === null ? "no Worker may be started" : whyNoWorker(module);

  const openThisThread = (completed: LaneCounts, sink: Sink): RequestRunner => {
    const executor = library === undefined
      ? new DenoExecutor()
      : new LibraryExecutor(loadLibrary(library.path));
    return new ThisThread(executor, completed, sink);
  };
  const parts: WorkerParts = {
    refuse: library === undefined ? refusalOf : () => 0,
    describe: (lost = refused): BackendInfo => {
      const calls = library === undefined ? "Deno's own calls, which lack some operations" : "";
      const all = [...reasons];
      if (lost !== undefined) {
        all.push(`${lost}: requests run on the queue's own thread${calls && `, by ${calls}`}`);
      } else if (library === undefined) {
        all.push(`Workers use ${calls}`);
      }
      return {
        kind: "worker",
        lanes: lost === undefined ? threads : 1,
        ...(all.length > 0 ? { reason: all.join("; ") } : {}),
        ...(preferred?.code === undefined ? {} : { code: preferred.code }),
        ...(preferred?.errno === undefined ? {} : { errno: preferred.errno }),
      };
    },
    openWaits: (complete, wake) =>
      library === undefined
        ? new Timers(complete, wake)
        : new NativeWaits(library, depth, complete, wake),
    openRunner: (completed, sink, giveUp) =>
      module === null || refused !== undefined
        ? openThisThread(completed, sink)
        : new Workers({ depth, threads, library, module, completed, sink, giveUp }),
    openThisThread,
    release: () => library?.release(),
  };
  try {
    return new WorkerBackend(parts, sink);
  } catch (error) {
    library?.release();
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
