// Copyright 2026 the ioq authors. MIT license.

/**
 * What `@std/fs` does by Deno's calls, step by step: the oracle for calls of these names.
 */

/** Whether there is something, not regarding whether it is readable. */
export async function exists(
  path: string,
  options: { isFile?: boolean; isDirectory?: boolean } = {},
): Promise<boolean> {
  try {
    const info = await Deno.stat(path);
    return !(options.isDirectory && !info.isDirectory || options.isFile && !info.isFile);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return false;
    }
    throw error;
  }
}

function checkDirectory(info: Deno.FileInfo): void {
  if (!info.isDirectory) {
    const got = info.isFile ? "file" : "undefined";
    throw new Error(`Failed to ensure directory exists: expected 'dir', got '${got}'`);
  }
}

/** Make a directory unless it is there. */
export async function ensureDir(path: string): Promise<void> {
  try {
    checkDirectory(await Deno.stat(path));
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  }
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw error;
    }
    checkDirectory(await Deno.stat(path));
  }
}

/** Remove all that is in a directory. */
export async function emptyDir(path: string): Promise<void> {
  try {
    for (const { name } of [...Deno.readDirSync(path)]) {
      await Deno.remove(`${path}/${name}`, { recursive: true });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
    await Deno.mkdir(path, { recursive: true });
  }
}

/** Move a file or a directory. */
export async function move(
  from: string,
  to: string,
  { overwrite = false } = {},
): Promise<void> {
  const info = await Deno.stat(from);
  if (info.isDirectory && (to === from || to.startsWith(`${from}/`))) {
    throw new Deno.errors.NotSupported(
      `Cannot move '${from}' to a subdirectory of itself, '${to}'.`,
    );
  }
  if (overwrite) {
    if (from === to) {
      return;
    }
    await Deno.remove(to, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw error;
      }
    });
  } else if (await Deno.lstat(to).then(() => true, () => false)) {
    throw new Deno.errors.AlreadyExists("dest already exists.");
  }
  await Deno.rename(from, to);
}
