// Copyright 2026 the ioq authors. MIT license.

/**
 * What a loop and its Workers tell each other, and how errors cross over.
 *
 * All but the first message go through a port that no task can reach: whatever a task
 * posts by itself is nobody's business. What was thrown may be anything, with getters
 * that throw and names that are no text: reading it never throws, on either side.
 *
 * @module
 */

import type { IoqOptions } from "../queue/option_types.ts";
import { Canceled, ConcurrencyUnavailable, MutexAbandoned } from "./canceled.ts";
import type { Enrolment } from "./threads.ts";

/** What a loop tells a Worker by itself: where the rest comes from. */
export interface Opening {
  readonly port: MessagePort;
  /** How to open the queue of its tasks; without, functions are given no handle. */
  readonly queue: IoqOptions | undefined;
  readonly enrolment: Enrolment;
  /** See {@linkcode Claim}. */
  readonly claim: SharedArrayBuffer;
}

/** What a loop tells a Worker. */
export type ToWorker =
  | {
    readonly kind: "run";
    readonly id: number;
    readonly module: string;
    readonly args: readonly unknown[];
  }
  | { readonly kind: "cancel"; readonly id: number }
  /** Tasks wait in line: answer if you can take one. */
  | { readonly kind: "offer" }
  | { readonly kind: "stop" };

/** What a Worker tells its loop. */
export type FromWorker =
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: WireError }
  /** It was offered a task and can take one: its event loop goes around. */
  | { readonly kind: "free" }
  /** It was told to stop, or died, and all that it had is closed. */
  | { readonly kind: "stopped" }
  /** Nobody caught an error: all its tasks have failed, and it closes what it has. */
  | { readonly kind: "dying"; readonly error: WireError }
  /** It is about to end although nobody asked it to. */
  | { readonly kind: "gone" };

/**
 * Who comes first, the Worker that begins a function or the thread that cancels it: a
 * word in shared memory, for Workers that run one function at a time.
 *
 *     waiting(id) ──begin()──▶ begun
 *          └────withdraw()───▶ withdrawn
 */
export class Claim {
  readonly #word: Int32Array<SharedArrayBuffer>;

  /** A new one, or another view of one. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.#word = new Int32Array(buffer);
  }

  /** Its memory. */
  get buffer(): SharedArrayBuffer {
    return this.#word.buffer;
  }

  /** A function is sent. */
  offer(id: number): void {
    Atomics.store(this.#word, 0, waiting(id));
  }

  /** The Worker begins; tells whether it may. */
  begin(id: number): boolean {
    return Atomics.compareExchange(this.#word, 0, waiting(id), 0) === waiting(id);
  }

  /** It is cancelled; tells whether it was in time. */
  withdraw(id: number): boolean {
    return this.begin(id);
  }
}

/** What a {@linkcode Claim} says of a function that has yet to begin: never 0. */
function waiting(id: number): number {
  return 1 + id % (2 ** 31 - 1);
}

/** What was thrown. */
export type WireError =
  | {
    readonly isError: true;
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly code: string | number | undefined;
    readonly cause: WireError | undefined;
    /** Those of an `AggregateError`, or the two of a `SuppressedError`. */
    readonly errors: readonly WireError[] | undefined;
  }
  /** No error, but some value. */
  | { readonly isError: false; readonly value: unknown };

/** How deep causes and errors of errors are followed. */
const DEPTH_MAX = 8;
/** How many errors are taken along, all together. */
const ERRORS_MAX = 1024;

/** A property, whatever its getter does. */
function read(of: object, key: string): unknown {
  try {
    return (of as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** A value as text, whatever its methods do. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "a value that cannot be shown";
  }
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/**
 * Prepare what was thrown: a structured clone would make plain errors of Deno's. Never
 * throws, and what it gives can be cloned.
 */
export function encodeError(error: unknown): WireError {
  let left = ERRORS_MAX;
  const encode = (error: unknown, depth: number): WireError => {
    left--;
    if (!isError(error)) {
      try {
        return { isError: false, value: structuredClone(error) };
      } catch {
        return { isError: false, value: textOf(error) };
      }
    }
    const follow = (value: unknown) =>
      value === undefined || depth >= DEPTH_MAX || left <= 0 ? undefined : encode(value, depth + 1);
    const [name, message, stack, code] = ["name", "message", "stack", "code"]
      .map((key) => read(error, key));
    const nameText = typeof name === "string" ? name : "Error";
    return {
      isError: true,
      name: error instanceof DOMException ? "DOMException:" + nameText : nameText,
      message: message === undefined ? "" : textOf(message),
      stack: typeof stack === "string" ? stack : undefined,
      code: typeof code === "string" || typeof code === "number" ? code : undefined,
      cause: follow(read(error, "cause")),
      errors: errorsOf(error)?.map(follow).filter((it) => it !== undefined),
    };
  };
  return encode(error, 0);
}

/** The errors that an error is made of. */
function errorsOf(error: Error): unknown[] | undefined {
  if (error instanceof AggregateError) {
    const errors = read(error, "errors");
    try {
      return Array.isArray(errors) ? Array.from(errors) : [];
    } catch {
      return [];
    }
  }
  return error instanceof SuppressedError
    ? [read(error, "error"), read(error, "suppressed")].map((it) => it ?? null)
    : undefined;
}

/** Classes that errors are given back; Deno's by their names. */
const CLASSES: ReadonlyMap<string, new (message: string) => Error> = new Map<
  string,
  new (message: string) => Error
>([
  ["Canceled", Canceled],
  ["ConcurrencyUnavailable", ConcurrencyUnavailable],
  ["MutexAbandoned", MutexAbandoned],
  ["EvalError", EvalError],
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["URIError", URIError],
  ...Object.entries(Deno.errors),
]);

function makeError({ name, message, errors }: WireError & { isError: true }): Error {
  if (name.startsWith("DOMException:")) {
    return new DOMException(message, name.slice("DOMException:".length));
  }
  const [first, second] = errors ?? [];
  const error = errors === undefined
    ? new (CLASSES.get(name) ?? Error)(message)
    : name === "SuppressedError"
    ? new SuppressedError(first && decodeError(first), second && decodeError(second), message)
    : new AggregateError(errors.map(decodeError), message);
  if (error.name !== name) {
    Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  }
  return error;
}

/** What was thrown over there, with the stack that it had there. */
export function decodeError(wire: WireError): unknown {
  if (!wire.isError) {
    return wire.value;
  }
  const error = makeError(wire);
  if (wire.stack !== undefined) {
    Object.defineProperty(error, "stack", {
      value: wire.stack,
      configurable: true,
      writable: true,
    });
  }
  if (wire.code !== undefined && (error as { code?: unknown }).code !== wire.code) {
    Object.defineProperty(error, "code", {
      value: wire.code,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  if (wire.cause !== undefined) {
    Object.defineProperty(error, "cause", {
      value: decodeError(wire.cause),
      configurable: true,
      writable: true,
    });
  }
  return error;
}
