/*
 * Preloaded into pg_upgrade: the LINKS_BEFORE_PAUSE-th link() (default 200) does not happen. Instead the file
 * .paused-while-linking appears at the volume's root (PAUSE_DIRECTORY, default /bitnami/postgresql), and the process
 * sleeps until it is killed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void pause_for_ever(void)
{
	const char *directory = getenv("PAUSE_DIRECTORY");
	char path[4096];
	int file;

	snprintf(path, sizeof path, "%s/.paused-while-linking", directory ? directory : "/bitnami/postgresql");
	file = open(path, O_CREAT | O_WRONLY, 0600);
	if (file < 0)
		fprintf(stderr, "pause-while-linking: %s: %s\n", path, strerror(errno));
	else
		close(file);
	for (;;)
		pause();
}

int link(const char *from, const char *to)
{
	static int (*next)(const char *, const char *);
	static long before_pause = -1;
	static long links;

	if (!next)
		next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");
	if (before_pause < 0) {
		const char *wanted = getenv("LINKS_BEFORE_PAUSE");
		before_pause = wanted ? atol(wanted) : 200;
	}
	/* The servers which pg_upgrade starts inherit the preload, and are left alone. */
	if (strncmp(program_invocation_short_name, "pg_upgrade", 10) == 0 && ++links >= before_pause)
		pause_for_ever();
	return next(from, to);
}
