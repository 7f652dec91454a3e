// Copyright 2026 the ioq authors. MIT license.

/**
 * `../backup.ts` with Deno's own calls alone. They know no extended attributes, keep no holes, and
 * set neither times nor owners of symbolic links: these are not kept.
 *
 *     deno run -A examples/plain/backup.ts FROM TO
 *
 * @module
 */

/** Copy one entry and what is below it. `copies` knows the copies of files with several names. */
async function copy(from: string, to: string, copies: Map<string, string>): Promise<void> {
  const info = await Deno.lstat(from);
  if (info.isSymlink) {
    await Deno.symlink(await Deno.readLink(from), to);
    return;
  }
  if (info.isDirectory) {
    await Deno.mkdir(to, { mode: 0o700 });
    for await (const { name } of Deno.readDir(from)) {
      await copy(`${from}/${name}`, `${to}/${name}`, copies);
    }
  } else if (info.isFile) {
    const id = `${info.dev}:${info.ino}`;
    const first = copies.get(id);
    if (first !== undefined) {
      await Deno.link(first, to);
      return;
    }
    if ((info.nlink ?? 1) > 1) {
      copies.set(id, to);
    }
    await Deno.copyFile(from, to);
  } else {
    throw new Deno.errors.NotSupported(`Cannot copy '${from}'`);
  }
  // The owner first: giving a file away drops its set-ID bits
  await Deno.chown(to, info.uid, info.gid);
  await Deno.chmod(to, info.mode! & 0o7777);
  await Deno.utime(to, info.atime!, info.mtime!);
}

export async function backup(from: string, to: string): Promise<void> {
  const partial = `${to}.partial`;
  await Deno.remove(partial, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  });
  await copy(from, partial, new Map());
  await Deno.rename(partial, to);
}

if (import.meta.main) {
  const [from, to] = Deno.args;
  if (from === undefined || to === undefined) {
    console.error("Usage: backup.ts FROM TO");
    Deno.exit(2);
  }
  await backup(from, to);
}
