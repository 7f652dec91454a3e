// Copyright 2026 the ioq authors. MIT license.

/**
 * Functions of `node:fs` that do not go by way of Deno's: whole files and directories.
 * All others look Deno's functions up when they are called, and follow by themselves.
 *
 * What is plain goes through the gate. Everything else goes to Node's own function: other
 * encodings and flags, descriptors, trees. So does what fails, since nobody words Node's
 * errors as Node does.
 *
 * A program has them from three places. The module's object, which `require()` and the
 * default import give, is changed. A named import is bound before that, so the module that
 * it is from is replaced by one that has the names of the changed object.
 *
 * @module
 */

import type NodeBuffer from "node:buffer";
import type NodeFs from "node:fs";
import nodeModule from "node:module";
import process from "node:process";
import type { Ioq } from "../ioq.ts";
import { type Gate, LISTING } from "./gate.ts";

/** Any function of Node's. */
type NodeFunction = (this: unknown, ...args: unknown[]) => unknown;
/** Where results of other functions go. */
type Callback = (error: unknown, value?: unknown) => void;

/** The functions that are replaced, of the module and of its promises. */
const NAMES = ["readFile", "readdir", "writeFile"] as const;

/** The kinds of entries that Node knows and Deno tells. */
const UV_DIRENT_FILE = 1;
const UV_DIRENT_DIR = 2;
const UV_DIRENT_LINK = 3;

/** Says that Node's own function is to have the call. */
const OTHERWISE: unique symbol = Symbol("otherwise");

/** A call by a queue, or nothing if it is not plain. */
type Plan = ((ioq: Ioq) => Promise<unknown>) | undefined;

/** Node's modules, which take their time to load: once somebody wants them. */
let nodeFs: typeof NodeFs;
let buffer: typeof NodeBuffer;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Arguments as they are now, as far as a caller may change them. */
function snapshot(args: readonly unknown[]): unknown[] {
  return args.map((it) => isPlainObject(it) ? { ...it } : it);
}

/** Whether something is an object of its own properties and nothing else. */
function isPlainObject(it: unknown): it is object {
  return typeof it === "object" && it !== null && Object.getPrototypeOf(it) === Object.prototype;
}

/** Options as an object; `undefined` if they are something else. */
function optionsOf(options: unknown): Readonly<Record<string, unknown>> | undefined {
  if (options === undefined || options === null) {
    return {};
  }
  if (typeof options === "string") {
    return { encoding: options };
  }
  return typeof options === "object" ? options as Record<string, unknown> : undefined;
}

/** Whether an option is not given, or says what goes without saying. */
function isUsual(value: unknown, ...usual: unknown[]): boolean {
  return value === undefined || value === null || usual.includes(value);
}

/** How to read a file by a queue. */
function planReadFile(path: string, given: unknown): Plan {
  const options = optionsOf(given);
  if (options === undefined || !isUsual(options.flag, "r") || !isUsual(options.signal)) {
    return undefined;
  }
  const { encoding } = options;
  if (!isUsual(encoding, "utf8", "utf-8")) {
    return undefined;
  }
  return async (ioq) => {
    const bytes = await ioq.readFile(path);
    return encoding ? decoder.decode(bytes) : buffer.Buffer.from(bytes.buffer);
  };
}

/** How to read a directory by a queue. */
function planReaddir(path: string, given: unknown): Plan {
  const options = optionsOf(given);
  if (
    options === undefined || options.recursive || !isUsual(options.encoding, "utf8", "utf-8")
  ) {
    return undefined;
  }
  return async (ioq) => {
    const entries = await ioq.readDir(path);
    const found = new Array<unknown>(entries.length);
    for (const [i, entry] of entries.entries()) {
      const { name, isFile, isDirectory, isSymlink } = entry;
      const type = isFile
        ? UV_DIRENT_FILE
        : isDirectory
        ? UV_DIRENT_DIR
        : isSymlink
        ? UV_DIRENT_LINK
        : 0;
      if (entry.rawName !== undefined || (type === 0 && options.withFileTypes)) {
        // Names that are no text, and kinds that Deno does not tell
        throw OTHERWISE;
      }
      found[i] = options.withFileTypes ? makeDirent(name, type, path) : name;
    }
    return found;
  };
}

/** Which argument of the constructor of Node's class is the type: its types do not show it. */
let typeIsSecond: boolean | undefined;

/** An entry of a directory, as Node has it. */
function makeDirent(name: string, type: number, parent: string): unknown {
  typeIsSecond ??= Reflect.construct(nodeFs.Dirent, ["", UV_DIRENT_DIR, ""])
    .isDirectory() as boolean;
  return Reflect.construct(
    nodeFs.Dirent,
    typeIsSecond ? [name, type, parent] : [name, parent, type],
  );
}

/** How to write a file by a queue. */
function planWriteFile(path: string, data: unknown, given: unknown): Plan {
  const options = optionsOf(given);
  if (
    options === undefined || !isUsual(options.flag, "w") || !isUsual(options.mode) ||
    !isUsual(options.signal) || !isUsual(options.encoding, "utf8", "utf-8") || options.flush
  ) {
    return undefined;
  }
  if (typeof data === "string") {
    return (ioq) => ioq.writeTextFile(path, data);
  }
  return data instanceof Uint8Array ? (ioq) => ioq.writeFile(path, data) : undefined;
}

/** Whether a call's arguments, of which there is a snapshot, mean the same later on. */
function mayWait([path, ...others]: readonly unknown[]): boolean {
  return (path as string).startsWith("/") &&
    others.every((it) => typeof it !== "object" || it === null || isPlainObject(it));
}

/** How much work a call is. */
function weightOf(name: typeof NAMES[number]): number {
  return name === "readdir" ? LISTING : 1;
}

/** How to make a call by a queue. */
function planOf(name: typeof NAMES[number], args: readonly unknown[]): Plan {
  const [path, first, second] = args;
  if (typeof path !== "string" || path === "") {
    return undefined;
  }
  return name === "readFile"
    ? planReadFile(path, first)
    : name === "readdir"
    ? planReaddir(path, first)
    : planWriteFile(path, first, second);
}

/** The function of promises that takes the place of Node's. */
function makePromiseFunction(
  gate: Gate,
  name: typeof NAMES[number],
  own: NodeFunction,
): NodeFunction {
  const replacement = {
    async [name](...given: unknown[]): Promise<unknown> {
      const args = snapshot(given);
      const plan = planOf(name, args);
      const plain = async () => await own(...args);
      if (plan === undefined) {
        return await plain();
      }
      return await gate.call(mayWait(args), plain, (ioq) => plan(ioq).catch(plain), weightOf(name));
    },
  };
  return replacement[name]!;
}

/** The function of callbacks that takes the place of Node's. */
function makeCallbackFunction(
  gate: Gate,
  name: typeof NAMES[number],
  own: NodeFunction,
): NodeFunction {
  const replacement = {
    [name](this: unknown, ...given: unknown[]): unknown {
      const args = snapshot(given);
      const callback = args.at(-1);
      const plan = typeof callback === "function" ? planOf(name, args.slice(0, -1)) : undefined;
      const ioq = gate.ioq;
      if (plan === undefined) {
        return own.apply(this, args);
      }
      const done = callback as Callback;
      if (ioq === undefined) {
        // The gate counts it, whatever Node does with it
        let settle: () => void = () => {};
        const settled = new Promise<void>((resolve) => settle = resolve);
        const plain = () => {
          own.apply(this, [
            ...args.slice(0, -1),
            (...results: Parameters<Callback>) => {
              settle();
              done(...results);
            },
          ]);
          return settled;
        };
        const queued = (open: Ioq) => {
          byQueue(open, plan, done, () => own.apply(this, args));
          return Promise.resolve();
        };
        void gate.call(mayWait(args.slice(0, -1)), plain, queued, weightOf(name));
        return undefined;
      }
      byQueue(ioq, plan, done, () => own.apply(this, args));
      return undefined;
    },
  };
  return replacement[name]!;
}

/** Make a call by a queue and tell a callback, or have Node make it if that fails. */
function byQueue(
  ioq: Ioq,
  plan: NonNullable<Plan>,
  done: Callback,
  otherwise: () => void,
): void {
  plan(ioq).then((value) => value === undefined ? done(null) : done(null, value), otherwise);
}

/** The specifiers under which programs import what is replaced. */
const SPECIFIERS: Readonly<Record<string, "node:fs" | "node:fs/promises">> = {
  "fs": "node:fs",
  "node:fs": "node:fs",
  "fs/promises": "node:fs/promises",
  "node:fs/promises": "node:fs/promises",
};

/** A module that has the names of one of Node's as they are now. */
function moduleLike(specifier: string, object: object): string {
  const names = Object.keys(object).filter((name) =>
    /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default"
  );
  const source = `const module = process.getBuiltinModule(${JSON.stringify(specifier)});
export default module;
export const { ${names.join(", ")} } = module;`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/**
 * Replace functions of `node:fs`.
 *
 * @param gate Which way calls go.
 * @param left Functions that stay as they are.
 * @param now Whether to do so at once: the program's modules are found already, and those of
 *        Node's with them. Otherwise it is done when the first module asks for `node:fs`.
 * @returns The names of those that are replaced, and what puts Node's back.
 */
export function replaceNodeCalls(
  gate: Gate,
  left: ReadonlySet<string>,
  now: boolean,
): { readonly names: readonly string[]; readonly restore: () => void } {
  const names = NAMES.filter((name) => !left.has(name));
  const undo: (() => void)[] = [];
  const urls = new Map<string, string>();
  const change = () => {
    nodeFs = process.getBuiltinModule("node:fs");
    buffer = process.getBuiltinModule("node:buffer");
    const { promises } = nodeFs;
    const places = [[nodeFs, makeCallbackFunction], [promises, makePromiseFunction]] as const;
    for (const name of names) {
      for (const [object, make] of places) {
        const own = Object.getOwnPropertyDescriptor(object, name)?.value;
        Reflect.set(object, name, make(gate, name, own));
        undo.push(() => Reflect.set(object, name, own));
      }
    }
    urls.set("node:fs", moduleLike("node:fs", nodeFs));
    urls.set("node:fs/promises", moduleLike("node:fs/promises", promises));
  };
  if (now) {
    change();
  }
  const hooks = nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const name = Object.hasOwn(SPECIFIERS, specifier) ? SPECIFIERS[specifier] : undefined;
      if (name === undefined) {
        return next(specifier, context);
      }
      if (urls.size === 0) {
        change();
      }
      return context.conditions?.includes("require")
        ? next(specifier, context)
        : { url: urls.get(name)!, format: "module", shortCircuit: true };
    },
  });
  undo.push(() => hooks.deregister());
  return {
    names: names.map((name) => `node:fs ${name}`),
    restore: () => undo.splice(0).forEach((step) => step()),
  };
}
