// Copyright 2026 the ioq authors. MIT license.

/**
 * Choosing a backend, and telling why it is that one.
 *
 * @module
 */

import {
  type Library,
  LibraryError,
  loadLibrary,
  prepareLibrary,
  readEnv,
} from "../../ffi/library.ts";
import { ERRNO, errnoCode } from "../linux/errors.ts";
import { areLeft } from "../late.ts";
import type { Backend, BackendKind, Sink } from "./backend.ts";
import { explainRingError, NativeBackend, NativeOpenError, openNativeCore } from "./native.ts";

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

/** A backend cannot be had: in the words and with the code of the cause. */
export class Unavailable extends Deno.errors.NotSupported {
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
export function tryLibrary(path: string | undefined): Library | LibraryError {
  try {
    return loadLibrary(path);
  } catch (error) {
    if (error instanceof LibraryError) {
      return error;
    }
    throw error;
  }
}

/** Makes a backend that tells its completions to a sink. */
export type MakeBackend = (sink: Sink) => Backend;

/** Open a backend of the native core. */
function openNative(choice: BackendChoice): MakeBackend | Unavailable {
  const library = tryLibrary(choice.library);
  if (library instanceof LibraryError) {
    return new Unavailable(library.message, library);
  }
  const { depth, threads, rawSqe } = choice;
  const ring = choice.backend !== "threads";
  try {
    const core = openNativeCore(library, { depth, threads, ring, rawSqe });
    return (sink) => new NativeBackend(core, sink);
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

/**
 * Whether there are no descriptors left: Workers take more of them than anything else, and
 * the runtime ends the process if it cannot start one.
 */
function isShortage(errno: number | undefined): boolean {
  return errno === ERRNO.EMFILE || errno === ERRNO.ENFILE;
}

/**
 * Open a backend. What Workers need is loaded only if they are.
 *
 * @throws {Deno.errors.NotSupported} If it cannot be had, with the reason in
 *         words, `cause`, and, if the operating system refused, `code` and `errno`.
 */
export async function openBackend(choice: BackendChoice): Promise<MakeBackend> {
  if (!areLeft(1)) {
    const cause = new NativeOpenError(ERRNO.EMFILE!);
    throw new Unavailable(`Cannot open a queue: ${explainRingError(cause.errno)}`, cause);
  }
  await prepareLibrary(choice.library);
  let preferred: Unavailable | undefined;
  if (choice.backend !== "worker") {
    const make = openNative(choice);
    if (!(make instanceof Unavailable)) {
      return make;
    }
    if (choice.backend !== "auto" || isShortage(make.errno)) {
      throw make;
    }
    preferred = make;
  }
  const { openWorker } = await import("./open_worker.ts");
  return (sink) => openWorker(choice, preferred, sink);
}
