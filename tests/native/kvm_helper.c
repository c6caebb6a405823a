// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Makes a task wait for a lock of KVM while it holds another one, for tests/native and the lab.
 * Commands on standard input, one a line, each answered by "ok":
 *   make     a VM with a page whose writes are logged
 *   hold     the thread "holder" fetches the log, to a page that does not come (userfaultfd): it
 *            sleeps with kvm->slots_lock held
 *   wait     the thread "waiter" makes an interrupt controller: with kvm->lock held it waits for
 *            kvm->slots_lock (kvm_pic_init() in arch/x86/kvm/i8259.c)
 *   release  the page comes, and both threads end
 *   close    the VM's end
 * Needs root. Exit status 77: this machine cannot do it. Ends when standard input does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_SKIP 77
/* Until a thread has gone to sleep. */
#define SETTLE_US 300000

static int kvm_fd, vm_fd, fault_fd;
static size_t page_size;
static void *missing;
static pthread_t holder, waiter;

static void skip(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_SKIP);
}

/* A page that comes only at the release. */
static void make_missing_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	missing = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fault_fd < 0 || missing == MAP_FAILED)
		skip("userfaultfd");
	range.range.start = (unsigned long)missing;
	range.range.len = page_size;
	if (ioctl(fault_fd, UFFDIO_API, &api) || ioctl(fault_fd, UFFDIO_REGISTER, &range))
		skip("userfaultfd's ioctls");
}

static void make_vm(void)
{
	struct kvm_userspace_memory_region region = { .flags = KVM_MEM_LOG_DIRTY_PAGES };
	void *memory = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (vm_fd < 0 || memory == MAP_FAILED)
		skip("KVM_CREATE_VM");
	region.memory_size = page_size;
	region.userspace_addr = (unsigned long)memory;
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region))
		skip("KVM_SET_USER_MEMORY_REGION");
}

static void *hold(void *unused)
{
	struct kvm_dirty_log log = { .dirty_bitmap = missing };

	(void)unused;
	pthread_setname_np(pthread_self(), "holder");
	if (ioctl(vm_fd, KVM_GET_DIRTY_LOG, &log))
		skip("KVM_GET_DIRTY_LOG");
	return NULL;
}

static void *wait_for_it(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "waiter");
	if (ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0))
		skip("KVM_CREATE_IRQCHIP");
	return NULL;
}

static void start(pthread_t *thread, void *(*work)(void *))
{
	if (pthread_create(thread, NULL, work, NULL))
		skip("pthread_create");
	usleep(SETTLE_US);
}

static void release(void)
{
	struct uffdio_zeropage zero = { .range = { .start = (unsigned long)missing, .len = page_size } };

	if (ioctl(fault_fd, UFFDIO_ZEROPAGE, &zero))
		skip("UFFDIO_ZEROPAGE");
	pthread_join(holder, NULL);
	pthread_join(waiter, NULL);
	/* Missing once more, for the next time. */
	madvise(missing, page_size, MADV_DONTNEED);
}

static int run(const char *command)
{
	if (!strcmp(command, "make\n"))
		make_vm();
	else if (!strcmp(command, "hold\n"))
		start(&holder, hold);
	else if (!strcmp(command, "wait\n"))
		start(&waiter, wait_for_it);
	else if (!strcmp(command, "release\n"))
		release();
	else if (!strcmp(command, "close\n"))
		close(vm_fd);
	else
		return -EINVAL;
	return 0;
}

int main(void)
{
	char line[32];

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		skip("/dev/kvm");
	make_missing_page();
	while (fgets(line, sizeof(line), stdin)) {
		if (run(line))
			return EXIT_FAILURE;
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
