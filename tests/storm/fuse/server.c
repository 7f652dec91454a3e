// Copyright 2026 the ioq authors. MIT license.

/*
 * Each of a few threads takes a request, works at it with the tree locked, and hands
 * the reply in for its time (replies.h). Node ids are addresses of nodes, but for the
 * top directory and the control file, `.storm`. No listing shows that file, and neither
 * it nor the attributes of the top directory are late or faulty.
 */

#include "server.h"
#include "replies.h"
#include "tree.h"
#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** The longest read or write. */
#define TRANSFER (1 << 20)
/** The node id of the control file. */
#define CONTROL 2
/** Its name in the top directory. */
#define CONTROL_NAME ".storm"
/** How many threads take requests. */
#define THREADS 4
/** The most requests that can be limited to work at a time. */
#define SERVERS 1024

/** A listing, as it was when it was asked for from its beginning. */
struct listing {
	/** How many entries. */
	size_t count;
	/** The entries. */
	struct {
		uint64_t number;
		uint32_t type;
		char *name;
	} *entries;
};

/** A request and the reply to it. */
struct request {
	/** What was asked. */
	const struct fuse_in_header *in;
	/** What comes after it: a structure, names, bytes. */
	const char *argument;
	/** How long that is. */
	size_t length;
	/** Where the body of the reply goes. */
	char *body;
	/** How long it is. */
	size_t body_length;
};

static struct {
	int fuse;
	pthread_mutex_t lock;
	struct tree tree;
	struct weather weather;
	/** When each server is free again. */
	uint64_t busy_until[SERVERS];
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct node *node_of(uint64_t id) {
	return id == FUSE_ROOT_ID ? server.tree.root : (struct node *)(uintptr_t)id;
}

static uint64_t id_of(const struct node *node) {
	return node == server.tree.root ? FUSE_ROOT_ID : (uint64_t)(uintptr_t)node;
}

/** Room in the body of a reply for a structure, zeroed. */
static void *reply_with(struct request *request, size_t size) {
	request->body_length = size;
	return memset(request->body, 0, size);
}

static void attributes_of(const struct node *node, struct fuse_attr *attr) {
	bool hidden = server.weather.tell_zero && S_ISREG(node->mode);
	uint64_t size = hidden ? 0 : node->size;
	*attr = (struct fuse_attr){
		.ino = node->number,
		.size = size,
		.blocks = (size + 511) / 512,
		.atime = (uint64_t)node->atime.tv_sec,
		.mtime = (uint64_t)node->mtime.tv_sec,
		.ctime = (uint64_t)node->ctime.tv_sec,
		.atimensec = (uint32_t)node->atime.tv_nsec,
		.mtimensec = (uint32_t)node->mtime.tv_nsec,
		.ctimensec = (uint32_t)node->ctime.tv_nsec,
		.mode = node->mode,
		.nlink = node->nlink,
		.uid = node->uid,
		.gid = node->gid,
		.rdev = node->rdev,
		.blksize = 4096,
	};
}

static void control_attributes(struct fuse_attr *attr) {
	*attr = (struct fuse_attr){
		.ino = CONTROL, .mode = S_IFREG | 0666, .nlink = 1, .blksize = 4096 };
}

static uint64_t cache_seconds(void) {
	return server.weather.cache_ms / 1000;
}

static uint32_t cache_nanoseconds(void) {
	return (uint32_t)(server.weather.cache_ms % 1000 * 1000000);
}

/** A node as the reply to a lookup, which counts as one. */
static void entry_out(struct node *node, struct fuse_entry_out *out) {
	node->lookups++;
	*out = (struct fuse_entry_out){
		.nodeid = id_of(node),
		.entry_valid = cache_seconds(),
		.attr_valid = cache_seconds(),
		.entry_valid_nsec = cache_nanoseconds(),
		.attr_valid_nsec = cache_nanoseconds(),
	};
	attributes_of(node, &out->attr);
}

static int reply_entry(struct request *request, struct node *node) {
	entry_out(node, reply_with(request, sizeof(struct fuse_entry_out)));
	return 0;
}

static int reply_attributes(struct request *request, const struct node *node) {
	struct fuse_attr_out *out = reply_with(request, sizeof(*out));
	out->attr_valid = cache_seconds();
	out->attr_valid_nsec = cache_nanoseconds();
	if (node) {
		attributes_of(node, &out->attr);
	} else {
		control_attributes(&out->attr);
	}
	return 0;
}

static uint32_t open_flags(void) {
	const struct weather *weather = &server.weather;
	return (weather->direct_io || weather->tell_zero ? FOPEN_DIRECT_IO : 0)
		| (weather->page_cache ? FOPEN_KEEP_CACHE : 0)
		| (weather->no_flush ? FOPEN_NOFLUSH : 0);
}

static int do_lookup(struct request *request, struct node *node) {
	if (node == server.tree.root && strcmp(request->argument, CONTROL_NAME) == 0) {
		struct fuse_entry_out *out = reply_with(request, sizeof(*out));
		out->nodeid = CONTROL;
		out->entry_valid = out->attr_valid = 3600;
		control_attributes(&out->attr);
		return 0;
	}
	struct entry *entry = tree_find(&server.tree, node, request->argument);
	return entry ? reply_entry(request, entry->node) : -ENOENT;
}

static struct timespec time_of(uint64_t seconds, uint32_t nanoseconds) {
	return (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)nanoseconds };
}

static int do_setattr(struct request *request, struct node *node) {
	const struct fuse_setattr_in *in = (const void *)request->argument;
	if (in->valid & FATTR_SIZE) {
		int error = tree_truncate(&server.tree, node, in->size);
		if (error) {
			return error;
		}
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (in->valid & FATTR_MODE) {
		node->mode = (node->mode & S_IFMT) | (in->mode & 07777);
	}
	if (in->valid & FATTR_UID) {
		node->uid = in->uid;
	}
	if (in->valid & FATTR_GID) {
		node->gid = in->gid;
	}
	if (in->valid & FATTR_ATIME) {
		node->atime = in->valid & FATTR_ATIME_NOW ? now : time_of(in->atime, in->atimensec);
	}
	if (in->valid & FATTR_MTIME) {
		node->mtime = in->valid & FATTR_MTIME_NOW ? now : time_of(in->mtime, in->mtimensec);
	}
	node->ctime = in->valid & FATTR_CTIME ? time_of(in->ctime, in->ctimensec) : now;
	return reply_attributes(request, node);
}

static int make(struct request *request, struct node *directory, const char *name, mode_t mode,
	struct node **node) {
	if (directory == server.tree.root && strcmp(name, CONTROL_NAME) == 0) {
		return -EEXIST;
	}
	return tree_make(&server.tree, directory, name, mode, request->in->uid, request->in->gid, node);
}

static int do_mknod(struct request *request, struct node *directory) {
	const struct fuse_mknod_in *in = (const void *)request->argument;
	struct node *node;
	int error = make(request, directory, request->argument + sizeof(*in), in->mode, &node);
	if (error) {
		return error;
	}
	node->rdev = in->rdev;
	return reply_entry(request, node);
}

static int do_mkdir(struct request *request, struct node *directory) {
	const struct fuse_mkdir_in *in = (const void *)request->argument;
	struct node *node;
	mode_t mode = S_IFDIR | (in->mode & 07777);
	int error = make(request, directory, request->argument + sizeof(*in), mode, &node);
	return error ? error : reply_entry(request, node);
}

static int do_symlink(struct request *request, struct node *directory) {
	const char *name = request->argument, *target = name + strlen(name) + 1;
	struct node *node;
	int error = make(request, directory, name, S_IFLNK | 0777, &node);
	if (error) {
		return error;
	}
	ssize_t written = tree_write(&server.tree, node, 0, target, strlen(target));
	if (written != (ssize_t)strlen(target)) {
		tree_remove(&server.tree, directory, name, false);
		return -ENOSPC;
	}
	return reply_entry(request, node);
}

static int do_link(struct request *request, struct node *directory) {
	const struct fuse_link_in *in = (const void *)request->argument;
	struct node *node = node_of(in->oldnodeid);
	int error = tree_link(&server.tree, node, directory, request->argument + sizeof(*in));
	return error ? error : reply_entry(request, node);
}

static int do_rename(struct request *request, struct node *directory, uint64_t to, uint32_t flags,
	size_t header) {
	const char *name = request->argument + header, *new_name = name + strlen(name) + 1;
	if (flags & ~1u) {
		return -EINVAL;
	}
	return tree_rename(&server.tree, directory, name, node_of(to), new_name, flags & 1);
}

static int reply_open(struct request *request, uint64_t handle, uint32_t flags) {
	struct fuse_open_out *out = reply_with(request, sizeof(*out));
	out->fh = handle;
	out->open_flags = flags;
	return 0;
}

static int do_create(struct request *request, struct node *directory) {
	const struct fuse_create_in *in = (const void *)request->argument;
	struct node *node;
	mode_t mode = S_IFREG | (in->mode & 07777);
	int error = make(request, directory, request->argument + sizeof(*in), mode, &node);
	if (error) {
		return error;
	}
	char *body = reply_with(request, sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out));
	struct fuse_open_out open = { .open_flags = open_flags() };
	entry_out(node, (struct fuse_entry_out *)(void *)body);
	memcpy(body + sizeof(struct fuse_entry_out), &open, sizeof(open));
	return 0;
}

static int do_read(struct request *request, struct node *node) {
	const struct fuse_read_in *in = (const void *)request->argument;
	size_t length = in->size < TRANSFER ? in->size : TRANSFER;
	length = weather_transfer(&server.weather, FUSE_READ, length);
	request->body_length = tree_read(node, in->offset, request->body, length);
	clock_gettime(CLOCK_REALTIME, &node->atime);
	return 0;
}

static int reply_written(struct request *request, size_t length) {
	struct fuse_write_out *out = reply_with(request, sizeof(*out));
	out->size = (uint32_t)length;
	return 0;
}

static int do_write(struct request *request, struct node *node) {
	const struct fuse_write_in *in = (const void *)request->argument;
	size_t length = weather_transfer(&server.weather, FUSE_WRITE, in->size);
	ssize_t written = tree_write(&server.tree, node, in->offset,
		request->argument + sizeof(*in), length);
	return written < 0 ? (int)written : reply_written(request, (size_t)written);
}

static int do_statfs(struct request *request) {
	struct fuse_statfs_out *out = reply_with(request, sizeof(*out));
	const struct tree *tree = &server.tree;
	out->st.bsize = out->st.frsize = 4096;
	out->st.blocks = tree->capacity / 4096;
	out->st.bfree = out->st.bavail = (tree->capacity - tree->used) / 4096;
	out->st.files = 1 << 24;
	out->st.ffree = (1 << 24) - tree->nodes;
	out->st.namelen = 255;
	return 0;
}

static int do_fallocate(struct request *request, struct node *node) {
	const struct fuse_fallocate_in *in = (const void *)request->argument;
	const uint32_t keep_size = 1;
	if (in->mode & ~keep_size) {
		return -EOPNOTSUPP;
	}
	if (in->length > server.tree.capacity - server.tree.used) {
		return -ENOSPC;
	}
	if (!(in->mode & keep_size) && in->offset + in->length > node->size) {
		return tree_truncate(&server.tree, node, in->offset + in->length);
	}
	return 0;
}

static void empty_listing(struct listing *listing) {
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->entries[i].name);
	}
	free(listing->entries);
	*listing = (struct listing){ 0 };
}

static bool add_entry(struct listing *listing, const char *name, const struct node *node) {
	char *copy = strdup(name);
	if (copy) {
		listing->entries[listing->count].number = node->number;
		listing->entries[listing->count].type = (node->mode & S_IFMT) >> 12;
		listing->entries[listing->count++].name = copy;
	}
	return copy;
}

/** Take down what is in a directory: later requests go on in what was there now. */
static int fill_listing(struct listing *listing, struct node *directory) {
	empty_listing(listing);
	listing->entries = calloc(directory->entries + 2, sizeof(*listing->entries));
	if (!listing->entries || !add_entry(listing, ".", directory)
		|| !add_entry(listing, "..", directory->parent)) {
		return -ENOMEM;
	}
	for (struct entry *entry = directory->first; entry; entry = entry->next) {
		if (!add_entry(listing, entry->name, entry->node)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int do_opendir(struct request *request) {
	struct listing *listing = calloc(1, sizeof(*listing));
	return listing ? reply_open(request, (uint64_t)(uintptr_t)listing, 0) : -ENOMEM;
}

static int do_readdir(struct request *request, struct node *directory, bool plus) {
	const struct fuse_read_in *in = (const void *)request->argument;
	struct listing *listing = (struct listing *)(uintptr_t)in->fh;
	size_t room = in->size < TRANSFER ? in->size : TRANSFER;
	if (in->offset == 0) {
		int error = fill_listing(listing, directory);
		if (error) {
			return error;
		}
	}
	for (size_t i = in->offset; i < listing->count; i++) {
		const char *name = listing->entries[i].name;
		size_t length = strlen(name);
		size_t header = plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
		size_t size = FUSE_DIRENT_ALIGN(header + length);
		if (request->body_length + size > room) {
			break;
		}
		char *to = memset(request->body + request->body_length, 0, size);
		if (plus) {
			// Gone meanwhile, or not a lookup: a node id of 0 says that there are no attributes
			struct entry *entry = tree_find(&server.tree, directory, name);
			if (entry) {
				entry_out(entry->node, (struct fuse_entry_out *)(void *)to);
			}
		}
		struct fuse_dirent dirent = {
			.ino = listing->entries[i].number,
			.off = i + 1,
			.namelen = (uint32_t)length,
			.type = listing->entries[i].type,
		};
		memcpy(to + header - FUSE_NAME_OFFSET, &dirent, FUSE_NAME_OFFSET);
		memcpy(to + header, name, length);
		request->body_length += size;
	}
	return 0;
}

static int do_releasedir(struct request *request) {
	const struct fuse_release_in *in = (const void *)request->argument;
	struct listing *listing = (struct listing *)(uintptr_t)in->fh;
	empty_listing(listing);
	free(listing);
	return 0;
}

static int do_init(struct request *request) {
	const struct fuse_init_in *in = (const void *)request->argument;
	struct fuse_init_out *out = reply_with(request, sizeof(*out));
	uint32_t wanted = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES
		| FUSE_ASYNC_DIO | (server.weather.readdirplus ? FUSE_DO_READDIRPLUS : 0);
	out->major = FUSE_KERNEL_VERSION;
	out->minor = FUSE_KERNEL_MINOR_VERSION;
	out->max_readahead = in->max_readahead;
	out->flags = in->flags & wanted;
	// As many requests at once as anybody has: what is slow is not to be queued in the kernel
	out->max_background = out->congestion_threshold = UINT16_MAX;
	out->max_write = TRANSFER;
	out->max_pages = TRANSFER / 4096;
	out->time_gran = 1;
	return 0;
}

/** The control file: reading it tells the counts, writing to it changes the weather. */
static int do_control(struct request *request) {
	if (request->in->opcode == FUSE_GETATTR || request->in->opcode == FUSE_SETATTR) {
		return reply_attributes(request, NULL);
	}
	if (request->in->opcode == FUSE_OPEN) {
		return reply_open(request, 0, FOPEN_DIRECT_IO);
	}
	if (request->in->opcode == FUSE_READ) {
		const struct fuse_read_in *in = (const void *)request->argument;
		char report[8192];
		size_t length = weather_report(&server.weather, report, sizeof(report));
		if (in->offset < length) {
			length -= in->offset;
			request->body_length = length < in->size ? length : in->size;
			memcpy(request->body, report + in->offset, request->body_length);
		}
		return 0;
	}
	if (request->in->opcode == FUSE_WRITE) {
		const struct fuse_write_in *in = (const void *)request->argument;
		char text[4096], *rest = text;
		if (in->size >= sizeof(text)) {
			return -EINVAL;
		}
		memcpy(text, request->argument + sizeof(*in), in->size);
		text[in->size] = '\0';
		for (char *line; (line = strsep(&rest, "\n"));) {
			if (*line && !weather_tell(&server.weather, line)) {
				return -EINVAL;
			}
		}
		server.tree.capacity = server.weather.capacity > server.tree.used
			? server.weather.capacity : server.tree.used;
		return reply_written(request, in->size);
	}
	return request->in->opcode == FUSE_FLUSH || request->in->opcode == FUSE_RELEASE ? 0 : -EPERM;
}

/** Do what a request asks for, with the tree locked. */
static int perform(struct request *request) {
	const struct fuse_in_header *in = request->in;
	struct node *node = node_of(in->nodeid);
	switch (in->opcode) {
	case FUSE_INIT:
		return do_init(request);
	case FUSE_LOOKUP:
		return do_lookup(request, node);
	case FUSE_GETATTR:
		return reply_attributes(request, node);
	case FUSE_SETATTR:
		return do_setattr(request, node);
	case FUSE_READLINK:
		request->body_length = tree_read(node, 0, request->body, 4096);
		return 0;
	case FUSE_SYMLINK:
		return do_symlink(request, node);
	case FUSE_MKNOD:
		return do_mknod(request, node);
	case FUSE_MKDIR:
		return do_mkdir(request, node);
	case FUSE_UNLINK:
		return tree_remove(&server.tree, node, request->argument, false);
	case FUSE_RMDIR:
		return tree_remove(&server.tree, node, request->argument, true);
	case FUSE_RENAME: {
		const struct fuse_rename_in *rename = (const void *)request->argument;
		return do_rename(request, node, rename->newdir, 0, sizeof(*rename));
	}
	case FUSE_RENAME2: {
		const struct fuse_rename2_in *rename = (const void *)request->argument;
		return do_rename(request, node, rename->newdir, rename->flags, sizeof(*rename));
	}
	case FUSE_LINK:
		return do_link(request, node);
	case FUSE_OPEN:
		return reply_open(request, 0, open_flags());
	case FUSE_CREATE:
		return do_create(request, node);
	case FUSE_READ:
		return do_read(request, node);
	case FUSE_WRITE:
		return do_write(request, node);
	case FUSE_STATFS:
		return do_statfs(request);
	case FUSE_FALLOCATE:
		return do_fallocate(request, node);
	case FUSE_OPENDIR:
		return do_opendir(request);
	case FUSE_READDIR:
		return do_readdir(request, node, false);
	case FUSE_READDIRPLUS:
		return do_readdir(request, node, true);
	case FUSE_RELEASEDIR:
		return do_releasedir(request);
	case FUSE_RELEASE:
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_DESTROY:
		return 0;
	default:
		// The kernel then does without: no locks, no extended attributes, no lseek of holes
		return -ENOSYS;
	}
}

/** The kind that a request counts as. */
static uint32_t kind_of(uint32_t opcode) {
	switch (opcode) {
	case FUSE_READDIRPLUS:
		return FUSE_READDIR;
	case FUSE_RENAME2:
		return FUSE_RENAME;
	default:
		return opcode;
	}
}

/** When the reply to a request that arrived now is due. */
static uint64_t due_of(const struct request *request, uint32_t kind) {
	uint64_t latency = kind < KINDS ? server.weather.latency[kind] : 0;
	if (kind == FUSE_READDIR && ((const struct fuse_read_in *)(const void *)request->argument)->offset) {
		// The latency of a listing is that of its first part
		latency = 0;
	}
	uint64_t start = latency ? replies_now() : 0;
	uint64_t servers = server.weather.servers < SERVERS ? server.weather.servers : SERVERS;
	if (latency && servers) {
		size_t next = 0;
		for (size_t i = 1; i < servers; i++) {
			if (server.busy_until[i] < server.busy_until[next]) {
				next = i;
			}
		}
		start = server.busy_until[next] > start ? server.busy_until[next] : start;
		server.busy_until[next] = start + latency;
	}
	return start + latency;
}

/**
 * Whether a request concerns the control file, or is on the way to it: the kernel asks for
 * the top directory's attributes before it looks up a name in it.
 */
static bool is_control(const struct request *request) {
	const struct fuse_in_header *in = request->in;
	return in->nodeid == CONTROL
		|| (in->nodeid == FUSE_ROOT_ID
			&& (in->opcode == FUSE_GETATTR
				|| (in->opcode == FUSE_LOOKUP
					&& strcmp(request->argument, CONTROL_NAME) == 0)));
}

/** Answer a request that has an answer. */
static void answer(struct request *request) {
	uint32_t kind = kind_of(request->in->opcode);
	bool control = is_control(request);
	uint64_t due = 0;
	int error = 0;
	pthread_mutex_lock(&server.lock);
	if (!control) {
		due = due_of(request, kind);
		error = weather_request(&server.weather, kind);
	}
	if (!error) {
		error = request->in->nodeid == CONTROL ? do_control(request) : perform(request);
	}
	pthread_mutex_unlock(&server.lock);
	replies_send(request->in->unique, error, request->body, request->body_length, due);
}

/** Nodes that the kernel no longer knows. */
static void forget(const struct request *request) {
	pthread_mutex_lock(&server.lock);
	if (request->in->opcode == FUSE_FORGET) {
		const struct fuse_forget_in *in = (const void *)request->argument;
		if (request->in->nodeid > CONTROL) {
			tree_forget(&server.tree, node_of(request->in->nodeid), in->nlookup);
		}
	} else {
		const struct fuse_batch_forget_in *in = (const void *)request->argument;
		const struct fuse_forget_one *one = (const void *)(request->argument + sizeof(*in));
		for (uint32_t i = 0; i < in->count; i++) {
			if (one[i].nodeid > CONTROL) {
				tree_forget(&server.tree, node_of(one[i].nodeid), one[i].nlookup);
			}
		}
	}
	pthread_mutex_unlock(&server.lock);
}

static void *take_requests(void *unused) {
	(void)unused;
	const size_t size = TRANSFER + 65536;
	char *buffer = malloc(size), *body = malloc(size);
	if (!buffer || !body) {
		perror("storm");
		_exit(1);
	}
	for (;;) {
		ssize_t length = read(server.fuse, buffer, size - 1);
		if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) {
			continue;
		}
		if (length < (ssize_t)sizeof(struct fuse_in_header)) {
			break;
		}
		buffer[length] = '\0';
		struct request request = {
			.in = (const void *)buffer,
			.argument = buffer + sizeof(struct fuse_in_header),
			.length = (size_t)length - sizeof(struct fuse_in_header),
			.body = body,
		};
		switch (request.in->opcode) {
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
			forget(&request);
			break;
		case FUSE_INTERRUPT:
			replies_interrupt(((const struct fuse_interrupt_in *)(const void *)request.argument)->unique);
			break;
		default:
			answer(&request);
		}
	}
	free(buffer);
	free(body);
	return NULL;
}

int serve(int fuse, const struct weather *weather) {
	pthread_t threads[THREADS];
	server.fuse = fuse;
	server.weather = *weather;
	tree_init(&server.tree, weather->inode_base, weather->capacity);
	int error = tree_fill(&server.tree, weather->directories, weather->files, weather->bytes,
		weather->fan);
	if (!error) {
		error = -replies_start(fuse);
	}
	for (size_t i = 0; i < THREADS && !error; i++) {
		error = -pthread_create(&threads[i], NULL, take_requests, NULL);
	}
	if (error) {
		fprintf(stderr, "storm: %s\n", strerror(-error));
		return 1;
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	return 0;
}
