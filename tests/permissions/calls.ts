// Copyright 2026 the ioq authors. MIT license.

/** The calls that are compared: each as Deno has it, and as we have it in each form. */

import { type Ioq, type IoqRequest, op, type Path } from "../../mod.ts";

/** A path in one of the forms that calls take. */
export type Form = "text" | "bytes" | "url" | "at";

/** Where calls are made. */
export interface Bench {
  readonly ioq: Ioq;
  /** The folder that paths are relative to. */
  readonly good: string;
  /** Its descriptor, if it may be opened. */
  readonly at: number | undefined;
}

/** What a call is made on. */
export interface Subject {
  /** The path as Deno takes it. */
  readonly text: string;
  /** The same as we take it. */
  readonly path: Path;
  /** For a path that begins at a descriptor. */
  readonly options: { at?: number };
}

/** A call in two ways. */
export interface Call {
  /** What Deno does. */
  deno(path: string, bench: Bench): unknown;
  /** Ours by a promise form, if there is one. */
  promise?(subject: Subject, bench: Bench): Promise<unknown>;
  /** The same as a request, if it is a single one. */
  request?(subject: Subject, bench: Bench): IoqRequest;
  /** Whether it changes what a symbolic link leads to, be it a device. */
  readonly reaches?: boolean;
  /** Whether it changes or removes what is at its path. */
  readonly destroys?: boolean;
  /** Whether it reads to the end, which some devices do not have. */
  readonly toEnd?: boolean;
  /** Whether only refusals are compared: Deno does something like it. */
  readonly alike?: boolean;
  /** Whether the form with a descriptor is the same. */
  readonly at?: boolean;
}

const BYTES = new TextEncoder().encode("new");

/** What replaces a file as a whole: its mode is kept, and a file beside it takes its name. */
function replaceByDeno(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw error;
    }
  }
  const beside = path.replace(/[^/]*$/, ".beside");
  Deno.writeFileSync(beside, BYTES);
  try {
    Deno.renameSync(beside, path);
  } catch (error) {
    Deno.removeSync(beside);
    throw error;
  }
}

/** What can be compared of attributes. */
function attributes(
  { isFile, isDirectory, isSymlink, size, mode }: {
    isFile: boolean;
    isDirectory: boolean;
    isSymlink: boolean;
    size: number;
    mode: number | null;
  },
): unknown {
  return [isFile, isDirectory, isSymlink, isDirectory ? 0 : size, mode];
}

const names = (entries: Iterable<{ name: string }>) => [...entries].map(({ name }) => name).sort();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Opening in a way. */
function opening(options: Deno.OpenOptions): Call {
  return {
    deno: (path) => Deno.openSync(path, options).close(),
    promise: async ({ path, options: { at } }, { ioq }) => {
      if (at === undefined) {
        await (await ioq.openFile(path, options)).close();
      } else {
        await ioq.run(op.close(await ioq.run(op.open(path, { ...options, at }))));
      }
    },
    at: true,
    destroys: options.write || options.append || false,
  };
}

export const CALLS: Readonly<Record<string, Call>> = {
  stat: {
    deno: (path) => attributes(Deno.statSync(path)),
    promise: async ({ path, options }, { ioq }) => attributes(await ioq.stat(path, options)),
    request: ({ path, options }) => op.stat(path, options),
    at: true,
  },
  lstat: {
    deno: (path) => attributes(Deno.lstatSync(path)),
    promise: async ({ path, options }, { ioq }) => attributes(await ioq.lstat(path, options)),
    request: ({ path, options }) => op.lstat(path, options),
    at: true,
  },
  readDir: {
    deno: (path) => names(Deno.readDirSync(path)),
    promise: async ({ path, options }, { ioq }) => names(await ioq.readDir(path, options)),
    request: ({ path, options }) => op.readDir(path, options),
    at: true,
  },
  readFile: {
    toEnd: true,
    deno: (path) => text(Deno.readFileSync(path)),
    promise: async ({ path, options }, { ioq }) => text(await ioq.readFile(path, options)),
    request: ({ path, options }) => op.readFile(path, options),
    at: true,
  },
  readTextFile: {
    toEnd: true,
    deno: (path) => Deno.readTextFileSync(path),
    promise: ({ path }, { ioq }) => ioq.readTextFile(path),
  },
  readLink: {
    deno: (path) => Deno.readLinkSync(path),
    promise: ({ path, options }, { ioq }) => ioq.readLink(path, options),
    request: ({ path, options }) => op.readLink(path, options),
    at: true,
  },
  realPath: {
    deno: (path) => Deno.realPathSync(path),
    promise: ({ path }, { ioq }) => ioq.realPath(path),
    request: ({ path }) => op.realPath(path),
  },
  chmod: {
    deno: (path) => Deno.chmodSync(path, 0o700),
    promise: ({ path }, { ioq }) => ioq.chmod(path, 0o700),
    request: ({ path }) => op.chmod(path, 0o700),
    reaches: true,
    destroys: true,
  },
  chown: {
    deno: (path) => Deno.chownSync(path, null, null),
    promise: ({ path }, { ioq }) => ioq.chown(path, null, null),
    request: ({ path }) => op.chown(path, null, null),
    reaches: true,
  },
  utime: {
    deno: (path) => Deno.utimeSync(path, 1, 1),
    promise: ({ path }, { ioq }) => ioq.utime(path, 1, 1),
    request: ({ path }) => op.utime(path, 1, 1),
    reaches: true,
    destroys: true,
  },
  truncate: {
    deno: (path) => Deno.truncateSync(path, 1),
    promise: ({ path }, { ioq }) => ioq.truncate(path, 1),
    request: ({ path }) => op.truncate(path, 1),
    destroys: true,
  },
  mkdir: {
    deno: (path) => Deno.mkdirSync(path),
    promise: ({ path, options }, { ioq }) => ioq.mkdir(path, options),
    request: ({ path, options }) => op.mkdir(path, options),
    at: true,
    destroys: true,
  },
  "mkdir recursive": {
    deno: (path) => Deno.mkdirSync(path, { recursive: true }),
    promise: ({ path }, { ioq }) => ioq.mkdir(path, { recursive: true }),
    destroys: true,
  },
  symlink: {
    deno: (path) => Deno.symlinkSync("x", path),
    promise: ({ path }, { ioq }) => ioq.symlink("x", path),
    request: ({ path }) => op.symlink("x", path),
    destroys: true,
  },
  "link from": {
    deno: (path, { good }) => Deno.linkSync(path, `${good}/new`),
    promise: ({ path }, { ioq, good }) => ioq.link(path, `${good}/new`),
    request: ({ path }, { good }) => op.link(path, `${good}/new`),
    destroys: true,
  },
  "link to": {
    deno: (path, { good }) => Deno.linkSync(`${good}/file`, path),
    promise: ({ path }, { ioq, good }) => ioq.link(`${good}/file`, path),
    request: ({ path }, { good }) => op.link(`${good}/file`, path),
    destroys: true,
  },
  "rename from": {
    deno: (path, { good }) => Deno.renameSync(path, `${good}/new`),
    promise: ({ path }, { ioq, good }) => ioq.rename(path, `${good}/new`),
    request: ({ path }, { good }) => op.rename(path, `${good}/new`),
    destroys: true,
  },
  "rename to": {
    deno: (path, { good }) => Deno.renameSync(`${good}/file`, path),
    promise: ({ path }, { ioq, good }) => ioq.rename(`${good}/file`, path),
    request: ({ path }, { good }) => op.rename(`${good}/file`, path),
    destroys: true,
  },
  "copy from": {
    toEnd: true,
    deno: (path, { good }) => Deno.copyFileSync(path, `${good}/new`),
    promise: ({ path }, { ioq, good }) => ioq.copyFile(path, `${good}/new`),
    request: ({ path }, { good }) => op.copyFile(path, `${good}/new`),
  },
  "copy to": {
    deno: (path, { good }) => Deno.copyFileSync(`${good}/file`, path),
    promise: ({ path }, { ioq, good }) => ioq.copyFile(`${good}/file`, path),
    request: ({ path }, { good }) => op.copyFile(`${good}/file`, path),
    destroys: true,
  },
  writeFile: {
    deno: (path) => Deno.writeFileSync(path, BYTES),
    promise: ({ path, options }, { ioq }) => ioq.writeFile(path, BYTES, options),
    request: ({ path, options }) => op.writeFile(path, BYTES, options),
    at: true,
    destroys: true,
  },
  "writeTextFile append": {
    deno: (path) => Deno.writeTextFileSync(path, "new", { append: true }),
    promise: ({ path }, { ioq }) => ioq.writeTextFile(path, "new", { append: true }),
    destroys: true,
  },
  "writeFile createNew": {
    deno: (path) => Deno.writeFileSync(path, BYTES, { createNew: true }),
    promise: ({ path }, { ioq }) => ioq.writeFile(path, BYTES, { createNew: true }),
    destroys: true,
  },
  "writeFile atomic": {
    deno: (path) => replaceByDeno(path),
    promise: ({ path, options }, { ioq }) =>
      ioq.writeFile(path, BYTES, { ...options, atomic: true }),
    request: ({ path, options }) => op.writeFile(path, BYTES, { ...options, atomic: true }),
    at: true,
    destroys: true,
    alike: true,
  },
  "open read": opening({ read: true }),
  "open write": opening({ write: true }),
  "open append": opening({ append: true }),
  "open both": opening({ read: true, write: true }),
  "open create": opening({ write: true, create: true }),
  "open truncate": opening({ write: true, truncate: true }),
  "open create truncate": opening({ write: true, create: true, truncate: true }),
  "open createNew": opening({ write: true, createNew: true }),
  remove: {
    deno: (path) => Deno.removeSync(path),
    promise: ({ path }, { ioq }) => ioq.remove(path),
    destroys: true,
  },
  "remove recursive": {
    deno: (path) => Deno.removeSync(path, { recursive: true }),
    promise: ({ path }, { ioq }) => ioq.remove(path, { recursive: true }),
    destroys: true,
  },
  "utime of a file open for reading": {
    deno: (path) => {
      using file = Deno.openSync(path);
      file.utimeSync(1, 1);
    },
    promise: async ({ path }, { ioq }) => {
      const file = await ioq.openFile(path);
      try {
        await file.utime(1, 1);
      } finally {
        await file.close();
      }
    },
    reaches: true,
    destroys: true,
  },
  openDir: {
    deno: (path) => void Deno.readDirSync(path)[Symbol.iterator]().next(),
    promise: async ({ path, options }, { ioq }) => {
      await ioq.run(op.closeDir(await ioq.run(op.openDir(path, options))));
    },
    at: true,
    alike: true,
  },
  access: {
    deno: (path) => void Deno.statSync(path),
    request: ({ path, options }) => op.access(path, options),
    promise: ({ path, options }, { ioq }) => ioq.run(op.access(path, options)),
    at: true,
    alike: true,
  },
  getXattr: {
    deno: (path) => void Deno.statSync(path),
    promise: ({ path, options }, { ioq }) => ioq.run(op.getXattr(path, "user.none", options)),
    at: true,
    alike: true,
  },
  removeXattr: {
    deno: (path) => Deno.chmodSync(path, 0o644),
    promise: ({ path, options }, { ioq }) => ioq.run(op.removeXattr(path, "user.none", options)),
    at: true,
    alike: true,
    reaches: true,
  },
};

/** Calls whose descriptors nobody gets to see: left out where they cannot be closed. */
export const FORMS: readonly Form[] = ["text", "bytes", "url", "at"];

/** A path. */
export interface Spot {
  /** Below `good`, or absolute. */
  readonly name: string;
  /** Whether it leads to what belongs to the machine. */
  readonly machine?: boolean;
  /** Whether it has no end. */
  readonly endless?: boolean;
  /** Whether removing it would remove what is needed, or not ours. */
  readonly keep?: boolean;
  /** Whether only what reads is done there. */
  readonly readOnly?: boolean;
}

const spot = (name: string): Spot => ({ name });
const device = (name: string): Spot => ({ name, machine: true });
const machine = (name: string): Spot => ({ name, machine: true, readOnly: true });

export const SPOTS: readonly Spot[] = [
  ...[
    "file",
    "sub",
    "sub/file",
    "missing",
    "missing/x",
    "file/x",
    "denied",
    "denied/secret",
    "denied/missing",
    "ü ñ/file",
    "../bad/file",
    "../bad/missing",
    "../bad",
    "sub/../file",
    "sub/../denied/secret",
    "denied/../file",
    "missing/../file",
    "missing/../denied/secret",
    "./file",
    "sub//file",
    "sub/.",
    "sub/",
    "file/",
    "link-file",
    "link-file/",
    "link-dir",
    "link-dir/",
    "link-dir/file",
    "link-out",
    "link-outdir",
    "link-outdir/file",
    "link-outdir/../file",
    "link-secret",
    "link-denied/secret",
    "link-denied/",
    "dangling",
    "dangling-out",
    "loop",
    "shm",
    "shm-missing",
  ].map(spot),
  ...["null", "tty", "environ", "pressure/cpu"].map(device),
  { ...device("full"), endless: true },
  { ...machine("/dev/full"), endless: true },
  ...[
    "/dev/null",
    "/dev/tty",
    "/proc/self/comm",
    "/proc/pressure/cpu",
    "/sys/kernel",
    "/dev/../proc/self/comm",
    "//proc//self/comm",
    "/",
    "/proc",
    "/etc/passwd",
  ].map(machine),
  { name: "", readOnly: true },
  { name: ".", keep: true },
  { name: "..", keep: true },
];
