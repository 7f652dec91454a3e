// Copyright 2026 the ioq authors. MIT license.

/**
 * Terminals: whether a descriptor is one, and its raw mode. These are calls, not
 * requests: they only talk to the driver, and wait for no more than what was
 * written to the terminal.
 */

#include "ioq.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/** What is behind the state that JavaScript keeps. */
struct saved {
	/** Whether there is something to go back to. */
	uint32_t valid;
	struct termios settings;
};

static_assert(sizeof(struct saved) <= IOQ_TERMINAL_STATE, "JavaScript's memory is too short");

int32_t ioq_is_terminal(int32_t fd) {
	return isatty(fd) == 1;
}

int32_t ioq_set_raw(int32_t fd, uint32_t mode, uint8_t *state) {
	struct saved saved;
	// JavaScript's bytes are not aligned
	memcpy(&saved, state, sizeof(saved));
	if (mode == IOQ_TERMINAL_RESTORE) {
		if (saved.valid && tcsetattr(fd, TCSADRAIN, &saved.settings) != 0) {
			return -errno;
		}
		memset(state, 0, sizeof(saved));
		return 0;
	}
	if (mode != IOQ_TERMINAL_RAW && mode != IOQ_TERMINAL_CBREAK) {
		return -EINVAL;
	}
	struct termios raw;
	if (tcgetattr(fd, &raw) != 0) {
		return -errno;
	}
	if (!saved.valid) {
		saved.valid = 1;
		saved.settings = raw;
	}
	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
	raw.c_cflag |= CS8;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
	if (mode == IOQ_TERMINAL_CBREAK) {
		raw.c_lflag |= ISIG;
	} else {
		raw.c_lflag &= ~(tcflag_t)ISIG;
	}
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSADRAIN, &raw) != 0) {
		return -errno;
	}
	memcpy(state, &saved, sizeof(saved));
	return 0;
}
