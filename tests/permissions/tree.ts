// Copyright 2026 the ioq authors. MIT license.

/**
 * The tree that calls are made in, and what it looks like: made afresh after each call
 * that changed it. It is an empty root of its own. What it links to outside of that are
 * devices, on which only those calls are made that leave them as they are.
 */

/** Where the tree is. */
export interface Place {
  /** A directory for this tree alone. */
  readonly root: string;
  /** A file in /dev/shm for this tree alone, and one that is missing there. */
  readonly shm: string;
}

/** What is in `good`, which most grants are for. */
function make({ root, shm }: Place): void {
  for (const name of ["good", "good/sub", "good/denied", "good/ü ñ", "bad", "bad/deep"]) {
    Deno.mkdirSync(`${root}/${name}`, { mode: 0o755, recursive: true });
  }
  Deno.chmodSync(`${root}/good`, 0o755);
  const files = [
    "file",
    "sub/file",
    "denied/secret",
    "ü ñ/file",
    "../bad/file",
    "../bad/deep/file",
  ];
  for (const name of files) {
    Deno.writeTextFileSync(`${root}/good/${name}`, `in ${name}`, { mode: 0o644 });
  }
  const links: Record<string, string> = {
    "link-file": "file",
    "link-dir": "sub",
    "link-out": "../bad/file",
    "link-outdir": "../bad/deep",
    "link-secret": "denied/secret",
    "link-denied": "denied",
    "dangling": "nothing",
    "dangling-out": "../bad/nothing",
    "loop": "loop",
    "null": "/dev/null",
    "full": "/dev/full",
    "tty": "/dev/tty",
    "environ": "/proc/self/environ",
    "pressure": "/proc/pressure",
    "shm": shm,
    "shm-missing": `${shm}-missing`,
  };
  for (const [name, target] of Object.entries(links)) {
    Deno.symlinkSync(target, `${root}/good/${name}`);
  }
  Deno.writeTextFileSync(shm, "in shm");
}

/** What an entry is, in words; times only if they were set. */
function describe(path: string): string {
  const { isSymlink, isFile, isDirectory, mode, size, nlink, mtime } = Deno.lstatSync(path);
  const time = mtime!.getTime() < 1e6 ? ` of ${mtime!.getTime()}` : "";
  if (isSymlink) {
    return `-> ${Deno.readLinkSync(path)}${time}`;
  }
  const bits = `${(mode! & 0o7777).toString(8)}${time}`;
  if (isDirectory) {
    return `directory ${bits}`;
  }
  const text = isFile && size < 1000 ? JSON.stringify(Deno.readTextFileSync(path)) : `${size}`;
  return `file ${bits} ${text} ${nlink}`;
}

function list(path: string, name: string, lines: string[]): void {
  for (const entry of [...Deno.readDirSync(path)].map(({ name }) => name).sort()) {
    const below = `${name}${entry}`;
    const what = describe(`${path}/${entry}`);
    lines.push(`${below}: ${what}`);
    if (what.startsWith("directory")) {
      list(`${path}/${entry}`, `${below}/`, lines);
    }
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A tree that is as it was made, whatever is done to it. */
export class Tree {
  readonly #place: Place;
  readonly #pristine: string[];

  constructor(place: Place) {
    this.#place = place;
    make(place);
    this.#pristine = this.#look();
  }

  #look(): string[] {
    const { root, shm } = this.#place;
    const lines: string[] = [];
    list(root, "", lines);
    for (const path of [shm, `${shm}-missing`]) {
      lines.push(`${path.replace(shm, "shm")}: ${isThere(path) ? describe(path) : "none"}`);
    }
    return lines;
  }

  /** What differs from how it was made; it is so again afterwards. */
  changes(): string {
    const now = this.#look();
    const before = new Set(this.#pristine);
    const after = new Set(now);
    const changes = [
      ...this.#pristine.filter((line) => !after.has(line)).map((line) => `-${line}`),
      ...now.filter((line) => !before.has(line)).map((line) => `+${line}`),
    ];
    if (changes.length > 0) {
      this.remove();
      make(this.#place);
    }
    return changes.join("; ");
  }

  /** Remove what is in it, but for the directory that paths begin at, which is open. */
  remove(): void {
    const { root, shm } = this.#place;
    for (const folder of [root, `${root}/good`]) {
      for (const name of [...Deno.readDirSync(folder)].map(({ name }) => name)) {
        if (name !== "good") {
          Deno.removeSync(`${folder}/${name}`, { recursive: true });
        }
      }
    }
    for (const path of [shm, `${shm}-missing`]) {
      if (isThere(path)) {
        Deno.removeSync(path);
      }
    }
  }
}
