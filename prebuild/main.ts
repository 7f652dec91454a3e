// Copyright 2026 the ioq authors. MIT license.

/**
 * Builds the libraries that are embedded in the package: `deno task prebuild [ARCH…]`.
 *
 * @module
 */

import { buildLibrary, compilerOf } from "./build.ts";
import { embed, moduleUrl, sha256 } from "./embed.ts";
import { PLATFORMS } from "./platforms.ts";
import { hashSources } from "./sources.ts";

/** Build and embed; the exit code. */
function main(args: string[]): number {
  const known = PLATFORMS.map(({ arch }) => arch as string);
  const wrong = args.find((it) => !known.includes(it));
  if (wrong !== undefined) {
    console.error(`prebuild: There is no platform '${wrong}'. Platforms: ${known.join(", ")}`);
    return 2;
  }
  const sources = hashSources();
  for (const platform of PLATFORMS) {
    if (args.length > 0 && !args.includes(platform.arch)) {
      continue;
    }
    const library = buildLibrary(platform);
    const text = embed(library, sources, compilerOf(platform));
    const url = moduleUrl(platform.arch);
    const unchanged = readIfThere(url) === text;
    if (!unchanged) {
      Deno.writeTextFileSync(url, text);
    }
    console.log(
      `${platform.arch}  ${library.length} bytes, ${text.length} embedded  ` +
        `sha256 ${sha256(library)}${unchanged ? "  unchanged" : ""}`,
    );
  }
  return 0;
}

function readIfThere(url: URL): string | undefined {
  try {
    return Deno.readTextFileSync(url);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  try {
    Deno.exitCode = main(Deno.args);
  } catch (error) {
    console.error(`prebuild: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
