// Copyright 2026 the ioq authors. MIT license.

/**
 * The platforms that a library is embedded for, and how it is cross-compiled.
 *
 * @module
 */

/** A platform, as `Deno.build.arch` calls it. All are Linux with glibc. */
export type Arch = "x86_64" | "aarch64";

/** A platform's tool chain: Debian's packages have these names. */
export interface Platform {
  /** Its name. */
  readonly arch: Arch;
  /** What precedes the names of `gcc`, `ar` and `objcopy`. */
  readonly tools: string;
  /** Debian's name for the architecture. */
  readonly debian: string;
}

/** All of them. */
export const PLATFORMS: readonly Platform[] = [
  { arch: "x86_64", tools: "x86_64-linux-gnu-", debian: "amd64" },
  { arch: "aarch64", tools: "aarch64-linux-gnu-", debian: "arm64" },
];

/** The newest glibc that a library may need, in full `2.31`: Debian 11, Ubuntu 20.04. */
export const GLIBC_MINOR_MAX = 31;
