// Copyright 2026 the ioq authors. MIT license.

/**
 * What is to be replaced: everything, unless the environment says otherwise.
 *
 *     IOQ_ACCELERATE=verbose,-open,-readDir
 *
 * @module
 */

/**
 * An environment variable, if it may be read without asking. The one of `ffi/library.ts` would
 * bring along what only queues need.
 */
export function readVariable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}

/** What the environment asks for. */
export interface AccelerateOptions {
  /** Whether nothing is to be replaced. */
  readonly off: boolean;
  /** Whether to say what is replaced, and which way calls go. */
  readonly verbose: boolean;
  /** Whether to replace functions of `node:fs`; `undefined`: if the program may use them. */
  readonly node: boolean | undefined;
  /** Functions that stay as they are. */
  readonly left: ReadonlySet<string>;
}

/** Read the options, if the environment may be read without asking. */
export function readOptions(): AccelerateOptions {
  const words = (readVariable("IOQ_ACCELERATE") ?? "").split(",").map((word) => word.trim());
  const left = words.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
  return {
    off: words.includes("off"),
    verbose: words.includes("verbose"),
    node: words.includes("node") ? true : left.includes("node") ? false : undefined,
    left: new Set(left),
  };
}
