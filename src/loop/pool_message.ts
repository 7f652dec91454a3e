// Copyright 2026 the ioq authors. MIT license.

/**
 * What a loop and its Workers tell each other, and how errors cross over.
 *
 * @module
 */

import type { IoqOptions } from "../queue/queue_options.ts";
import { Canceled, ConcurrencyUnavailable } from "./canceled.ts";

/** What a loop tells a Worker. */
export type ToWorker =
  /** First of all: how to open the queue of its tasks; without, functions are given no handle. */
  | { readonly kind: "open"; readonly queue: IoqOptions | undefined }
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
  | { readonly kind: "stopped" }
  /** Nobody caught an error: it stops, and all its tasks have failed. */
  | { readonly kind: "dying"; readonly error: WireError }
  /** It is about to end although nobody asked it to. */
  | { readonly kind: "gone" };

/** What was thrown. */
export type WireError =
  | {
    readonly isError: true;
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly code: unknown;
    readonly cause: WireError | undefined;
  }
  /** No error, but some value. */
  | { readonly isError: false; readonly value: unknown };

/** How deep causes are followed. */
const CAUSES_MAX = 8;

/** Prepare what was thrown: a structured clone would make plain errors of Deno's. */
export function encodeError(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) {
    try {
      return { isError: false, value: structuredClone(error) };
    } catch {
      return { isError: false, value: String(error) };
    }
  }
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    isError: true,
    name: error instanceof DOMException ? "DOMException:" + name : name,
    message: String(message),
    stack: stack === undefined ? undefined : String(stack),
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    cause: cause === undefined || depth === CAUSES_MAX ? undefined : encodeError(cause, depth + 1),
  };
}

/** Classes that errors are given back; Deno's by their names. */
const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  Canceled,
  ConcurrencyUnavailable,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function makeError(name: string, message: string): Error {
  if (name.startsWith("DOMException:")) {
    return new DOMException(message, name.slice("DOMException:".length));
  }
  const own = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  const denos = Object.hasOwn(Deno.errors, name)
    ? (Deno.errors as unknown as Record<string, new (message: string) => Error>)[name]
    : undefined;
  const error = new (own ?? denos ?? Error)(message);
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
  const error = makeError(wire.name, wire.message);
  if (wire.stack !== undefined) {
    Object.defineProperty(error, "stack", {
      value: wire.stack,
      configurable: true,
      writable: true,
    });
  }
  if (wire.code !== undefined && (error as { code?: unknown }).code !== wire.code) {
    Object.assign(error, { code: wire.code });
  }
  if (wire.cause !== undefined) {
    error.cause = decodeError(wire.cause);
  }
  return error;
}
