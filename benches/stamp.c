/* What the machines of the benchmark run: a program that costs as little as a program can, and notes the time.
 *
 *   stamp NAME          appends NAME and the monotonic time in nanoseconds to /out/stamps, and ends
 *   stamp -s NAME       the same, and then sleeps until it is killed
 *   nop                 (by that name) ends at once
 *   floor FIRST N PROG  as process 1: runs PROG N times, one after another, and notes when it began and ended
 *   reap COMMAND...     as process 1: runs COMMAND, and reaps for ever
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static pid_t run(char **words)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(words[0], words, environ);
		_exit(127);
	}
	return pid;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];

	if (strcmp(name, "nop") == 0)
		return 0;
	if (strcmp(name, "init") == 0 && argc > 3 && strcmp(argv[1], "floor") == 0) {
		char *words[] = { argv[3], NULL };
		long times = atol(argv[2]);

		stamp("first");
		while (times-- > 0) {
			pid_t pid = run(words);
			while (waitpid(pid, NULL, 0) < 0)
				;
		}
		stamp("last");
		for (;;)
			pause();
	}
	if (strcmp(name, "init") == 0 && argc > 2 && strcmp(argv[1], "respawn") == 0) {
		for (;;) {
			pid_t pid = run(argv + 2);
			while (waitpid(pid, NULL, 0) < 0)
				;
		}
	}
	if (strcmp(name, "init") == 0 && argc > 2 && strcmp(argv[1], "reap") == 0) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		pid_t pid = vfork();
		if (pid == 0) {
			execve(argv[2], argv + 2, environ);
			_exit(127);
		}
		sigprocmask(SIG_BLOCK, &set, NULL);
		for (;;) {
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			sigwaitinfo(&set, NULL);
		}
	}
	/* orphans N: makes N processes whose parent is gone, at most a few hundred at a time. */
	if (strcmp(name, "orphans") == 0 && argc > 1) {
		long left = atol(argv[1]);

		stamp("first");
		while (left-- > 0) {
			pid_t pid = vfork();
			if (pid == 0) {
				if (fork() == 0)
					_exit(0);
				_exit(0);
			}
			while (waitpid(pid, NULL, 0) < 0)
				;
		}
		stamp("last");
		for (;;)
			pause();
	}
	if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		stamp(argv[2]);
		for (;;)
			pause();
	}
	if (argc > 1)
		stamp(argv[1]);
	return 0;
}
