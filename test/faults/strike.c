/*
 * Preloaded into all that the Job starts: strikes at one chosen system call on the volume, and says which one it was.
 *
 * Each call which changes what is on the volume (below STRIKE_ROOT), or asks for it to be durable, is a line "program call path" in
 * $GATE/calls, with paths relative to the volume. The STRIKE_NTH-th line that fits the pattern STRIKE_PATTERN (as of fnmatch) does not happen:
 * the line is written to $GATE/struck, and the process
 *   pause  waits until $GATE/open appears (for the test to kill everything, or to change something before it goes on); the default
 *   kill   is killed, alone
 *   EIO    is told that the disk failed
 * as STRIKE_ACTION says. The counter is in $GATE/count, shared by all processes. vfork's children, which share memory, only exec.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define NEXT(name) __typeof__(name) *next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static const char *gate, *root, *pattern;
static size_t root_length;
static long wanted;
static long *counter;
static char program[32];

static int gate_open(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", gate, name);
	return openat64(AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

__attribute__((constructor)) static void begin(void)
{
	const char *nth = getenv("STRIKE_NTH");
	int file;

	gate = getenv("GATE");
	root = getenv("STRIKE_ROOT");
	pattern = getenv("STRIKE_PATTERN");
	if (!gate || !root)
		return;
	root_length = strlen(root);
	wanted = nth ? atol(nth) : 0;
	snprintf(program, sizeof program, "%s", program_invocation_short_name);
	file = gate_open("count", O_RDWR);
	if (file < 0)
		return;
	counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (counter == MAP_FAILED)
		counter = NULL;
}

static void tell(const char *name, const char *line, int length)
{
	int file = gate_open(name, O_WRONLY | O_CREAT | O_APPEND);

	if (file < 0)
		return;
	if (write(file, line, (size_t)length) < 0)
		_exit(99);
	close(file);
}

/* What the file is called: absolute, without the links in it being followed. Empty if it is not on the volume. */
static const char *on_volume(int directory, const char *name, char *path)
{
	char link[64];
	ssize_t length = 0;

	if (name && name[0] == '/') {
		snprintf(path, PATH_MAX, "%s", name);
	} else {
		if (directory == AT_FDCWD)
			snprintf(link, sizeof link, "/proc/self/cwd");
		else
			snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
		length = readlink(link, path, PATH_MAX - 1);
		if (length < 0)
			return "";
		path[length] = 0;
		if (name)
			snprintf(path + length, PATH_MAX - (size_t)length, "/%s", name);
	}
	if (strncmp(path, root, root_length) || (path[root_length] && path[root_length] != '/'))
		return "";
	return path[root_length] ? path + root_length + 1 : ".";
}

/* 0: go on. Otherwise the errno to answer with. */
static int at(const char *call, int directory, const char *name, int other_directory, const char *other)
{
	static __thread int inside;
	char path[PATH_MAX], other_path[PATH_MAX], line[2 * PATH_MAX + 128];
	const char *action, *place, *other_place = "";
	int length, kept = errno, answer = 0;

	if (!counter || inside)
		return 0;
	inside = 1;
	place = on_volume(directory, name, path);
	if (other)
		other_place = on_volume(other_directory, other, other_path);
	if (*place || *other_place) {
		length = snprintf(line, sizeof line, "%s %s %s%s%s\n", program, call, *place ? place : name, other ? " -> " : "", other ? (*other_place ? other_place : other) : "");
		tell("calls", line, length);
		line[length - 1] = 0;
		if (pattern && wanted && !fnmatch(pattern, line, 0) && __sync_add_and_fetch(counter, 1) == wanted) {
			line[length - 1] = '\n';
			tell("struck", line, length);
			action = getenv("STRIKE_ACTION");
			if (action && !strcmp(action, "kill"))
				kill(getpid(), SIGKILL);
			else if (action && !strcmp(action, "EIO"))
				answer = EIO;
			else
				while ((length = gate_open("open", O_RDONLY)) < 0)
					usleep(2000);
		}
	}
	inside = 0;
	errno = answer ? answer : kept;
	return answer;
}

int rename(const char *from, const char *to)
{
	NEXT(rename);
	return at("rename", AT_FDCWD, from, AT_FDCWD, to) ? -1 : next(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	NEXT(renameat);
	return at("rename", from_directory, from, to_directory, to) ? -1 : next(from_directory, from, to_directory, to);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags)
{
	NEXT(renameat2);
	return at("rename", from_directory, from, to_directory, to) ? -1 : next(from_directory, from, to_directory, to, flags);
}

int link(const char *from, const char *to)
{
	NEXT(link);
	return at("link", AT_FDCWD, from, AT_FDCWD, to) ? -1 : next(from, to);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
	NEXT(linkat);
	return at("link", from_directory, from, to_directory, to) ? -1 : next(from_directory, from, to_directory, to, flags);
}

int unlink(const char *name)
{
	NEXT(unlink);
	return at("unlink", AT_FDCWD, name, 0, NULL) ? -1 : next(name);
}

int unlinkat(int directory, const char *name, int flags)
{
	NEXT(unlinkat);
	return at("unlink", directory, name, 0, NULL) ? -1 : next(directory, name, flags);
}

int rmdir(const char *name)
{
	NEXT(rmdir);
	return at("rmdir", AT_FDCWD, name, 0, NULL) ? -1 : next(name);
}

int mkdir(const char *name, mode_t mode)
{
	NEXT(mkdir);
	return at("mkdir", AT_FDCWD, name, 0, NULL) ? -1 : next(name, mode);
}

int mkdirat(int directory, const char *name, mode_t mode)
{
	NEXT(mkdirat);
	return at("mkdir", directory, name, 0, NULL) ? -1 : next(directory, name, mode);
}

int fsync(int file)
{
	NEXT(fsync);
	return at("fsync", file, NULL, 0, NULL) ? -1 : next(file);
}

int syncfs(int file)
{
	NEXT(syncfs);
	return at("syncfs", file, NULL, 0, NULL) ? -1 : next(file);
}

int fdatasync(int file)
{
	NEXT(fdatasync);
	return at("fdatasync", file, NULL, 0, NULL) ? -1 : next(file);
}

int ioctl(int file, unsigned long request, ...)
{
	NEXT(ioctl);
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (request == FICLONE && at("clone", file, NULL, 0, NULL))
		return -1;
	return next(file, request, argument);
}

#define WRITES (O_WRONLY | O_RDWR)
#define OPEN(name, call)                                                                                                  \
	int name(const char *path, int flags, ...)                                                                        \
	{                                                                                                                 \
		NEXT(name);                                                                                               \
		va_list list;                                                                                             \
		mode_t mode;                                                                                              \
                                                                                                                          \
		va_start(list, flags);                                                                                    \
		mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;                                                        \
		va_end(list);                                                                                             \
		return flags & (O_CREAT | O_TRUNC) && flags & WRITES && at(call, AT_FDCWD, path, 0, NULL) ? -1 : next(path, flags, mode); \
	}
OPEN(open, "create")
OPEN(open64, "create")

#define OPENAT(name, call)                                                                                                \
	int name(int directory, const char *path, int flags, ...)                                                         \
	{                                                                                                                 \
		NEXT(name);                                                                                               \
		va_list list;                                                                                             \
		mode_t mode;                                                                                              \
                                                                                                                          \
		va_start(list, flags);                                                                                    \
		mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;                                                        \
		va_end(list);                                                                                             \
		return flags & (O_CREAT | O_TRUNC) && flags & WRITES && at(call, directory, path, 0, NULL) ? -1 : next(directory, path, flags, mode); \
	}
OPENAT(openat, "create")
OPENAT(openat64, "create")

#define FOPEN(name)                                                                                                       \
	FILE *name(const char *path, const char *mode)                                                                    \
	{                                                                                                                 \
		NEXT(name);                                                                                               \
		return strpbrk(mode, "wa") && at("create", AT_FDCWD, path, 0, NULL) ? NULL : next(path, mode);            \
	}
FOPEN(fopen)
FOPEN(fopen64)

/* Where a data file's bytes go over: pg_upgrade copies by write(), cp by copy_file_range(). */
ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t length, unsigned int flags)
{
	NEXT(copy_file_range);
	return at("copy", to, NULL, 0, NULL) ? -1 : next(from, from_offset, to, to_offset, length, flags);
}
