// Copyright 2026 the ioq authors. MIT license.

/**
 * Running programs where the kernel refuses io_uring, as in a container whose
 * seccomp profile does: a launcher in C that has the system call fail for whatever
 * it starts.
 */

import { assert } from "@std/assert";
import { type TempDir, text } from "./fixtures.ts";

const SOURCE = `
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef REFUSED
#define REFUSED SYS_io_uring_setup
#endif
#ifndef WITH
#define WITH EPERM
#endif

int main(int argc, char **argv) {
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REFUSED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | WITH),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
	    || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		perror("launcher");
		return 126;
	}
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
`;

/** Whether a launcher can be built here. */
export function canForbidIoUring(): boolean {
  try {
    return Deno.build.os === "linux" &&
      new Deno.Command("cc", { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * Build the launcher; its path. It is called with a program's path and arguments.
 *
 * @param call The system call that fails.
 * @param code What it fails with.
 */
export function buildLauncher(
  dir: TempDir,
  call: "io_uring_setup" | "io_uring_enter" | "io_uring_register" = "io_uring_setup",
  code = "EPERM",
): string {
  const path = dir.at(`without_${call}_${code}`);
  const defines = [`-DREFUSED=SYS_${call}`, `-DWITH=${code}`];
  const { success, stderr } = new Deno.Command("cc", {
    args: [...defines, "-o", path, dir.file("without_io_uring.c", SOURCE)],
  }).outputSync();
  assert(success, text(stderr));
  return path;
}
