// Copyright 2026 the ioq authors. MIT license.

/**
 * A registry on the loopback interface that offers this package as jsr.io would:
 * the files that `deno publish` would send, and nothing else.
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { assert } from "@std/assert";
import { buildLibrary, canBuild } from "../prebuild/build.ts";
import { embed } from "../prebuild/embed.ts";
import { PLATFORMS } from "../prebuild/platforms.ts";
import { hashSources } from "../prebuild/sources.ts";
import { bytes, text } from "./fixtures.ts";

const ROOT = new URL("../", import.meta.url);

/** What `deno publish` makes of the package. */
export interface DryRun {
  readonly success: boolean;
  /** What it said. */
  readonly output: string;
  /** The files it would send, as paths within the package. */
  readonly files: readonly string[];
}

/** Have `deno publish` tell what it would send. */
export async function publishDryRun(): Promise<DryRun> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: fileURLToPath(ROOT),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const output = text(stdout) + text(stderr);
  const files = [...output.matchAll(/^\s+(file:\/\/\S+) \([\d.]+[KM]?B\)$/gm)]
    .map(([, url]) => decodeURIComponent(url!.slice(ROOT.href.length)));
  return { success, output, files };
}

let fresh: Uint8Array<ArrayBuffer> | undefined;

/**
 * While somebody works on the native sources, the library in the checkout is not
 * theirs: another test says so. This one goes on with what will be embedded.
 */
function embedFresh(contents: Map<string, Uint8Array<ArrayBuffer>>): void {
  const platform = PLATFORMS.find(({ arch }) => arch === Deno.build.arch);
  const path = `/ffi/embedded/${Deno.build.arch}.ts`;
  const sources = hashSources();
  if (platform && canBuild(platform) && !text(contents.get(path)!).includes(sources)) {
    fresh ??= bytes(embed(buildLibrary(platform), sources, "the one at hand"));
    contents.set(path, fresh);
  }
}

/** A registry that runs. */
export interface Registry extends AsyncDisposable {
  /** What `JSR_URL` must be for it. */
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requested: readonly string[];
}

/** Start a registry with the files of a dry run. */
export function startRegistry({ files }: DryRun): Registry {
  const config = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const { name, version, exports } = config as {
    name: string;
    version: string;
    exports: Record<string, string>;
  };
  const contents = new Map(
    files.map((path) => [`/${path}`, Deno.readFileSync(new URL(path, ROOT))]),
  );
  assert(contents.has("/mod.ts"), files.join());
  embedFresh(contents);
  const manifest = Object.fromEntries(
    [...contents].map(([path, bytes]) => [path, {
      size: bytes.length,
      checksum: `sha256-${createHash("sha256").update(bytes).digest("hex")}`,
    }]),
  );
  const [scope, packageName] = name.slice(1).split("/");
  const documents: Record<string, unknown> = {
    [`/${name}/meta.json`]: {
      scope,
      name: packageName,
      latest: version,
      versions: { [version]: {} },
    },
    [`/${name}/${version}_meta.json`]: { manifest, exports },
  };

  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    requested.push(path);
    if (path in documents) {
      return Response.json(documents[path]);
    }
    const prefix = `/${name}/${version}`;
    const bytes = path.startsWith(prefix) ? contents.get(path.slice(prefix.length)) : undefined;
    return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes, {
      headers: { "content-type": path.endsWith(".ts") ? "text/typescript" : "text/plain" },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    requested,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
