// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Makes tasks hang in kernel locks without any help from the kernel: a system call that copies
 * from or to user memory holds a lock meanwhile, and here that memory is a page that never comes
 * (userfaultfd). Needs root. Works on any file system that takes the inode's rwsem as usual.
 *   pipe       write() holds the pipe's mutex; others write to the pipe
 *   file       write() holds the inode's rwsem for writing; others write to the file
 *   directory  getdents() holds the inode's rwsem for reading; mkdir() waits for writing, and behind it
 *              another getdents() for reading
 * Prints "PROCESS KIND ROLE" for each, then "ready"; ends, with all its children, when it is killed or its
 * standard input ends. Exit status: 77 when this kernel has no userfaultfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Until a child has gone to sleep. */
#define SETTLE_US 200000

static int pipe_ends[2], file;
static const char *directory;

static void die(const char *what)
{
	perror(what);
	exit(errno == ENOSYS || errno == EPERM ? 77 : 2);
}

/* A page that never comes. */
static void *missing_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || page == MAP_FAILED)
		die("userfaultfd");
	range.range.start = (unsigned long)page;
	range.range.len = size;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		die("userfaultfd's ioctls");
	return page;
}

static void list_directory(void *buffer)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	syscall(SYS_getdents64, fd, buffer, 4096);
}

static void hold_pipe(void)
{
	if (write(pipe_ends[1], missing_page(), 4096) < 0)
		_exit(1);
}

static void wait_pipe(void)
{
	if (write(pipe_ends[1], "x", 1) < 0)
		_exit(1);
}

static void hold_file(void)
{
	if (pwrite(file, missing_page(), 4096, 0) < 0)
		_exit(1);
}

static void wait_file(void)
{
	if (pwrite(file, "x", 1, 0) < 0)
		_exit(1);
}

static void hold_directory(void)
{
	list_directory(missing_page());
}

static void wait_directory_write(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/new", directory);
	mkdir(path, 0700);
}

static void wait_directory_read(void)
{
	char buffer[4096];

	list_directory(buffer);
}

static void child(const char *kind, const char *role, void (*run)(void))
{
	char name[16];
	pid_t parent = getpid(), pid;

	fflush(stdout);
	pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		snprintf(name, sizeof(name), "%.9s_%.5s", kind, role);
		prctl(PR_SET_NAME, name);
		run();
		_exit(1); /* it was not to end */
	}
	printf("%d %s %s\n", (int)pid, kind, role);
}

static void settle(void)
{
	fflush(stdout);
	usleep(SETTLE_US);
}

int main(int argc, char **argv)
{
	int writers = argc == 3 ? atoi(argv[2]) : 3;
	char path[4096], end;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "Usage: hang_helper DIRECTORY [WRITERS]\n"
				"The directory is an empty one; so many write to the pipe (3).\n");
		return 2;
	}
	directory = argv[1];
	missing_page(); /* is it possible? */
	snprintf(path, sizeof(path), "%s/file", directory);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || pipe(pipe_ends))
		die(path);
	child("pipe", "holder", hold_pipe);
	child("file", "holder", hold_file);
	child("directory", "holder", hold_directory);
	settle();
	for (int i = 0; i < writers; i++)
		child("pipe", "mutex", wait_pipe);
	child("file", "write", wait_file);
	child("directory", "write", wait_directory_write);
	settle();
	child("directory", "read", wait_directory_read);
	settle();
	puts("ready");
	fflush(stdout);
	if (read(0, &end, 1) < 0)
		return 2;
	return 0;
}
