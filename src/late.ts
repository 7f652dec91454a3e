// Copyright 2026 the ioq authors. MIT license.

/**
 * Modules that are loaded when something first needs them.
 *
 * A program that lives for a tenth of a second pays for each module it loads, some 0.2 ms.
 * So the way from the import to the first completed request has only what it takes, and the
 * rest is imported where it is called for: by a literal `import("./x.ts")`, which
 * `deno cache`, `deno bundle` and JSR see.
 *
 * With no descriptor left Deno ends the whole process where it imports a module, and with
 * fewer than six where it starts a Worker: nothing can be caught there. So descriptors are
 * counted before, and what needs them fails by an error of its own. What other threads take
 * between the count and the import nobody can know.
 *
 * @module
 */

/** Whether the runtime has ever told its memory, which it reads from `/proc`. */
let told = false;

/** A file that can be opened without asking anybody, if there is one. */
function openable(): string | undefined {
  const here = new URL(import.meta.url);
  return ["/dev/null", ...(here.protocol === "file:" ? [decodeURIComponent(here.pathname)] : [])]
    .find((path) => Deno.permissions.querySync({ name: "read", path }).state === "granted");
}

/** Whether as many descriptors are left, as far as the permissions let one see. */
export function areLeft(count: number): boolean {
  // No permission is needed for this, but it shows no more than one
  if (Deno.memoryUsage().rss > 0) {
    told = true;
    if (count === 1) {
      return true;
    }
  } else if (told) {
    return false;
  }
  const path = openable();
  const files: Deno.FsFile[] = [];
  try {
    while (path !== undefined && files.length < count) {
      files.push(Deno.openSync(path));
    }
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code;
    return code !== "EMFILE" && code !== "ENFILE";
  } finally {
    files.forEach((file) => file.close());
  }
}

/**
 * See that as many descriptors are left.
 *
 * @param context What they are for.
 * @throws {Error} With the code `EMFILE`, if they are not.
 */
export function requireDescriptors(count: number, context: string): void {
  if (!areLeft(count)) {
    const error = new Error(`Too many open files (os error 24): ${context}`);
    throw Object.assign(error, { code: "EMFILE" });
  }
}

/** A module that is loaded late. */
export class LateModule<M> {
  readonly #load: () => Promise<M>;
  #loaded: M | undefined;
  #loading: Promise<M> | undefined;

  /** @param load Imports it. */
  constructor(load: () => Promise<M>) {
    this.#load = load;
  }

  /** The module, if it is loaded: then nothing need come later than it is asked for. */
  get loaded(): M | undefined {
    return this.#loaded;
  }

  /**
   * Load the module. Those who wait for it go on one behind the other, with nothing else in
   * between. After an import that failed the next call tries again.
   *
   * @throws {Error} With the code `EMFILE`, if no descriptor is left to import it with.
   */
  async load(): Promise<M> {
    if (this.#loaded === undefined && this.#loading === undefined) {
      requireDescriptors(1, "import a module");
    }
    try {
      return this.#loaded ??= await (this.#loading ??= this.#load());
    } finally {
      this.#loading = undefined;
    }
  }
}
