// Copyright 2026 the ioq authors. MIT license.

import { getSystemErrorMap } from "node:util";
import { assert, assertEquals } from "@std/assert";
import { ERRNO, errnoCode, errnoText, osError } from "../src/linux/errors.ts";

Deno.test("codes and numbers are those of the system", () => {
  let compared = 0;
  for (const [errno, [code]] of getSystemErrorMap()) {
    // Others are libuv's own
    if (errno > -134) {
      assertEquals(errnoCode(-errno), code);
      assertEquals(ERRNO[code], -errno);
      compared++;
    }
  }
  assert(compared > 60, `${compared}`);
  for (const [code, errno] of Object.entries(ERRNO)) {
    assertEquals(errnoCode(errno), code);
  }
});

Deno.test({
  name: "texts are those of the C library",
  ignore: !/gnu/.test(Deno.build.target),
  fn() {
    using libc = open({ strerror: { parameters: ["i32"], result: "pointer" } });
    const numbers = Object.values(ERRNO);
    assert(numbers.length > 120);
    for (const errno of numbers) {
      const text = new Deno.UnsafePointerView(libc.symbols.strerror(errno)!).getCString();
      assertEquals(errnoText(errno), `${text} (os error ${errno})`);
    }
  },
});

/** The C library. */
function open<S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S> & Disposable {
  const library = Deno.dlopen("libc.so.6", symbols);
  return Object.assign(library, { [Symbol.dispose]: () => library.close() });
}

Deno.test("osError() makes Deno's errors", () => {
  const classes: [code: string, new () => Error][] = [
    ["ENOENT", Deno.errors.NotFound],
    ["EEXIST", Deno.errors.AlreadyExists],
    ["EACCES", Deno.errors.PermissionDenied],
    ["EPERM", Deno.errors.PermissionDenied],
    ["EISDIR", Deno.errors.IsADirectory],
    ["ENOTDIR", Deno.errors.NotADirectory],
    ["ELOOP", Deno.errors.FilesystemLoop],
    ["EINTR", Deno.errors.Interrupted],
    ["EAGAIN", Deno.errors.WouldBlock],
    ["EBUSY", Error],
    ["ETIMEDOUT", Deno.errors.TimedOut],
    ["ENOSYS", Deno.errors.NotSupported],
    ["ENOTSUP", Deno.errors.NotSupported],
    ["EPIPE", Deno.errors.BrokenPipe],
    ["EINVAL", TypeError],
    ["EBADF", Error],
    ["ENOTEMPTY", Error],
    ["EXDEV", Error],
    ["ENAMETOOLONG", Error],
    ["ENOSPC", Error],
  ];
  for (const [code, errorClass] of classes) {
    const errno = ERRNO[code]!;
    const error = osError(errno, "stat '/x'");
    assert(error.constructor === errorClass, code);
    assertEquals(error.code, code);
    assertEquals(error.message, `${errnoText(errno)}: stat '/x'`);
  }
  assertEquals(
    osError(2, "stat '/nope'").message,
    "No such file or directory (os error 2): stat '/nope'",
  );
});

Deno.test("osError() bears numbers that nobody knows", () => {
  for (const errno of [41, 58, 133, 512, 4095]) {
    const error = osError(errno, "read");
    assert(error.constructor === Error);
    assertEquals(error.code, `E${errno}`);
    assertEquals(error.message, `Unknown error ${errno} (os error ${errno}): read`);
  }
});
