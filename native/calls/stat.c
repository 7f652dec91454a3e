// Copyright 2026 the ioq authors. MIT license.

#include "calls/calls.h"


#include <assert.h>
#include <string.h>
#include <sys/sysmacros.h>

static_assert(sizeof(struct ioq_stat) == 128, "a stat is two cache lines");

void stat_pack(struct ioq_stat *to, const struct statx *from) {
	to->mask = from->stx_mask;
	to->mode = from->stx_mode;
	to->nlink = from->stx_nlink;
	to->uid = from->stx_uid;
	to->gid = from->stx_gid;
	to->blksize = from->stx_blksize;
	SPLIT(to, size, from->stx_size);
	SPLIT(to, blocks, from->stx_blocks);
	SPLIT(to, ino, from->stx_ino);
	SPLIT(to, dev, makedev(from->stx_dev_major, from->stx_dev_minor));
	SPLIT(to, rdev, makedev(from->stx_rdev_major, from->stx_rdev_minor));
	to->atime_low = (uint32_t)from->stx_atime.tv_sec;
	to->atime_high = (int32_t)(from->stx_atime.tv_sec >> 32);
	to->mtime_low = (uint32_t)from->stx_mtime.tv_sec;
	to->mtime_high = (int32_t)(from->stx_mtime.tv_sec >> 32);
	to->ctime_low = (uint32_t)from->stx_ctime.tv_sec;
	to->ctime_high = (int32_t)(from->stx_ctime.tv_sec >> 32);
	to->btime_low = (uint32_t)from->stx_btime.tv_sec;
	to->btime_high = (int32_t)(from->stx_btime.tv_sec >> 32);
	to->atime_nsec = from->stx_atime.tv_nsec;
	to->mtime_nsec = from->stx_mtime.tv_nsec;
	to->ctime_nsec = from->stx_ctime.tv_nsec;
	to->btime_nsec = from->stx_btime.tv_nsec;
	to->error = 0;
	memset(to->reserved, 0, sizeof(to->reserved));
}
