// Copyright 2026 the ioq authors. MIT license.

/**
 * Modules that are loaded when something first needs them.
 *
 * A program that lives for a tenth of a second pays for each module it loads, some 0.2 ms.
 * So the way from the import to the first completed request has only what it takes, and the
 * rest is imported where it is called for: by a literal `import("./x.ts")`, which
 * `deno cache`, `deno bundle` and JSR see.
 *
 * @module
 */

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
   */
  async load(): Promise<M> {
    try {
      return this.#loaded ??= await (this.#loading ??= this.#load());
    } finally {
      this.#loading = undefined;
    }
  }
}
