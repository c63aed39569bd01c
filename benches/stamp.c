/* What the machines of the benchmark run: a program that costs as little as a program can, and notes the time.
 *
 *   stamp NAME          appends NAME and the monotonic time in nanoseconds to /out/stamps, and ends
 *   stamp -s NAME       the same, and then sleeps until it is killed
 *   nop                 (by that name) ends at once
 *   orphans N           (by that name) makes N processes whose parent is gone, one after another, and sleeps
 *
 * As process 1, by the name init:
 *   init floor N PROGRAM...   runs PROGRAM N times, one after another, and notes when it began and ended
 *   init respawn PROGRAM...   runs PROGRAM for ever
 *   init reap PROGRAM...      runs PROGRAM once, and reaps for ever
 *   init obey PROGRAM...      makes the FIFO of requests, and runs PROGRAM for each one that it reads there
 *
 * Further words of stamp and nop mean nothing: they make command lines differ.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void stamp(const char *name)
{
	struct timespec now;
	char line[128];
	int fd = open("/out/stamps", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	clock_gettime(CLOCK_MONOTONIC, &now);
	int length = snprintf(line, sizeof line, "%s %lld\n", name,
			      now.tv_sec * 1000000000LL + now.tv_nsec);
	if (fd >= 0 && write(fd, line, length) != length)
		_exit(1);
	close(fd);
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static pid_t start(char **words)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(words[0], words, environ);
		_exit(127);
	}
	return pid;
}

static void run(char **words)
{
	pid_t pid = start(words);

	while (waitpid(pid, NULL, 0) < 0)
		;
}

static void reap(char **words)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	start(words);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sigwaitinfo(&set, NULL);
	}
}

static void obey(char **words)
{
	char request[384];
	int fd;

	mkfifo("/run/initctl", 0600);
	/* For writing too, so that the end of one client is not the end of all. */
	fd = open("/run/initctl", O_RDWR | O_CLOEXEC);
	for (;;)
		if (read(fd, request, sizeof request) == sizeof request)
			run(words);
		else if (fd < 0)
			_exit(1);
}

static void orphans(long left)
{
	stamp("first");
	while (left-- > 0) {
		pid_t pid = vfork();
		if (pid == 0) {
			/* It ends first, and is process 1's as soon as its parent has ended too. */
			if (vfork() == 0)
				_exit(0);
			_exit(0);
		}
		while (waitpid(pid, NULL, 0) < 0)
			;
	}
	stamp("last");
	sleep_for_ever();
}

static void as_process_1(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "floor") == 0) {
		long times = atol(argv[2]);

		stamp("first");
		while (times-- > 0)
			run(argv + 3);
		stamp("last");
		sleep_for_ever();
	}
	if (argc > 2 && strcmp(argv[1], "respawn") == 0)
		for (;;)
			run(argv + 2);
	if (argc > 2 && strcmp(argv[1], "reap") == 0)
		reap(argv + 2);
	if (argc > 2 && strcmp(argv[1], "obey") == 0)
		obey(argv + 2);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];

	if (strcmp(name, "nop") == 0 || argc < 2)
		return 0;
	if (strcmp(name, "init") == 0)
		as_process_1(argc, argv);
	else if (strcmp(name, "orphans") == 0)
		orphans(atol(argv[1]));
	else if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		stamp(argv[2]);
		sleep_for_ever();
	} else
		stamp(argv[1]);
	return 0;
}
