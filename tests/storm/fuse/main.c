// Copyright 2026 the ioq authors. MIT license.

/*
 * A file system in memory whose weather is told: see weather.h.
 *
 *     storm DIRECTORY [KEY=VALUE]...
 *
 * It mounts itself over the directory, prints `ready`, and stays until it gets SIGTERM
 * or SIGINT, or until its standard input ends if that is a pipe: its parent is gone
 * then. Two processes see to it that no mount remains whose server is dead: one serves,
 * the other mounts and unmounts.
 */

#include "server.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	return 1;
}

/** Wait until it is time to go. */
static void wait_for_the_end(int signals) {
	struct stat sb;
	bool piped = fstat(STDIN_FILENO, &sb) == 0 && (S_ISFIFO(sb.st_mode) || S_ISSOCK(sb.st_mode));
	struct pollfd polls[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = piped ? STDIN_FILENO : -1, .events = POLLIN },
	};
	for (;;) {
		if (poll(polls, 2, -1) < 0 && errno != EINTR) {
			return;
		}
		char byte;
		if (polls[0].revents || (polls[1].revents && read(STDIN_FILENO, &byte, 1) <= 0)) {
			return;
		}
	}
}

/** Unmount in the parent's place, once that is dead. */
static void *succeed(void *directory) {
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &number);
	umount2(directory, MNT_FORCE | MNT_DETACH);
	_exit(1);
}

/** The process that serves. It goes with its parent. */
static int serve_below(int fuse, char *directory, const struct weather *weather, pid_t parent) {
	pthread_t heir;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (pthread_create(&heir, NULL, succeed, directory) != 0) {
		return 1;
	}
	if (getppid() != parent) {
		kill(getpid(), SIGTERM);
	}
	return serve(fuse, weather);
}

int main(int argc, char **argv) {
	struct weather weather;
	weather_init(&weather);
	if (argc < 2) {
		fprintf(stderr, "storm DIRECTORY [KEY=VALUE]...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (!weather_tell(&weather, argv[i])) {
			fprintf(stderr, "storm: cannot understand %s\n", argv[i]);
			return 2;
		}
	}
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0) {
		return fail("/dev/fuse");
	}
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	int signals = signalfd(-1, &ends, SFD_CLOEXEC);
	if (signals < 0) {
		return fail("signalfd");
	}
	char options[128];
	snprintf(options, sizeof(options),
		"fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", fuse);
	if (mount("storm", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) != 0) {
		return fail(argv[1]);
	}
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		_exit(serve_below(fuse, argv[1], &weather, parent));
	}
	close(fuse);
	int status = 1;
	if (child > 0) {
		struct stat sb;
		// The kernel holds this up until the server has introduced itself
		if (stat(argv[1], &sb) == 0) {
			printf("ready\n");
			fflush(stdout);
			wait_for_the_end(signals);
			status = 0;
		}
	}
	// Forced: requests that nobody will answer fail. Detached: open files do not matter.
	umount2(argv[1], MNT_FORCE | MNT_DETACH);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return status;
}
