// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * ltguest's steps: thin wrappers of KVM's and VFIO's system calls, plus waiting
 * and lock commands. Handles are named files; a table lists the steps. Called
 * by ltguest.c, from several threads: only the handle table is shared, and its
 * lock is never held across a system call that a test may want to hang.
 */
#include "ltguest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define HANDLES_MAX 128
#define KICK_SIGNAL SIGUSR1

struct handle {
	char name[NAME_MAX_LENGTH]; /* "" if free */
	int fd;
	/* vCPUs only: */
	struct kvm_run *run;
	size_t run_size;
	pthread_t runner;
	bool running;
};

/* words[0] is the step's own name; rest is all that follows it, as written. */
struct step {
	char *words[WORDS_MAX];
	int count;
	const char *rest;
};

static struct handle handles[HANDLES_MAX];
static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread const char *failed_call = "?";

const char *step_failed_call(void)
{
	return failed_call;
}

int step_fail(const char *call)
{
	failed_call = call;
	return errno ? -errno : -EIO;
}

int step_error(const char *call, int number)
{
	errno = number;
	return step_fail(call);
}

/* Handles */

/* Called with handles_lock held; "" finds a free one. */
static struct handle *handle_find_locked(const char *name)
{
	int i;

	for (i = 0; i < HANDLES_MAX; i++) {
		if (!strcmp(handles[i].name, name))
			return &handles[i];
	}
	return NULL;
}

static struct handle *handle_find(const char *name)
{
	struct handle *handle;

	pthread_mutex_lock(&handles_lock);
	handle = handle_find_locked(name);
	pthread_mutex_unlock(&handles_lock);
	return handle;
}

/* The file of a handle, or -1 with errno EBADF. */
static int handle_fd(const char *name)
{
	struct handle *handle = handle_find(name);

	if (handle)
		return handle->fd;
	errno = EBADF;
	return -1;
}

/* Called with handles_lock held. */
static int handle_add_locked(const char *name, int fd, struct handle **result)
{
	struct handle *handle = handle_find_locked("");

	if (strlen(name) >= NAME_MAX_LENGTH)
		return step_error("handle name is too long", ENAMETOOLONG);
	if (handle_find_locked(name))
		return step_error("handle name is taken", EEXIST);
	if (!handle)
		return step_error("too many handles", ENOSPC);
	memset(handle, 0, sizeof(*handle));
	handle->fd = fd;
	snprintf(handle->name, sizeof(handle->name), "%s", name);
	if (result)
		*result = handle;
	return 0;
}

/* Gives fd a name; closes it on failure. fd < 0: the call that made it failed. */
static int handle_add(const char *name, int fd, const char *call, struct handle **result)
{
	int err;

	if (fd < 0)
		return step_fail(call);
	pthread_mutex_lock(&handles_lock);
	err = handle_add_locked(name, fd, result);
	pthread_mutex_unlock(&handles_lock);
	if (err)
		close(fd);
	return err;
}

/* The name is free before close(), which may hang. */
static int do_close(const struct step *step)
{
	struct handle *handle = handle_find(step->words[1]);
	struct handle old;

	if (!handle)
		return step_error("no such handle", EBADF);
	pthread_mutex_lock(&handles_lock);
	old = *handle;
	handle->name[0] = '\0';
	pthread_mutex_unlock(&handles_lock);
	if (old.run)
		munmap(old.run, old.run_size);
	return close(old.fd) ? step_fail("close") : 0;
}

/* Numbers in steps */

static int parse_number(const char *text, unsigned long long *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		return step_error("number expected", EINVAL);
	return 0;
}

/* Word number index as a number, or fallback when the step has fewer words. */
static int step_number(const struct step *step, int index, unsigned long long fallback,
		       unsigned long long *number)
{
	*number = fallback;
	return index < step->count ? parse_number(step->words[index], number) : 0;
}

/* KVM */

static int do_vm(const struct step *step)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm, err;

	if (kvm < 0)
		return step_fail("open /dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	err = handle_add(step->words[1], vm, "KVM_CREATE_VM", NULL);
	close(kvm);
	return err ? err : machine_vm(vm);
}

static int vcpu_map_run(struct handle *vcpu)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int size = kvm < 0 ? -1 : ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	close(kvm);
	if (size < 0)
		return step_fail("KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return step_fail("mmap of the vCPU");
	vcpu->run = run;
	vcpu->run_size = (size_t)size;
	return 0;
}

static int do_vcpu(const struct step *step)
{
	unsigned long long id;
	struct handle *vcpu;
	int vm = handle_fd(step->words[2]);
	int err = step_number(step, 3, 0, &id);

	if (err)
		return err;
	err = handle_add(step->words[1], ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id), "KVM_CREATE_VCPU",
			 &vcpu);
	if (!err)
		err = vcpu_map_run(vcpu);
	return err ? err : machine_vcpu(vm, vcpu->fd);
}

static void kick_handler(int number)
{
	(void)number; /* only there to interrupt the system call */
}

static void kick_prepare(void)
{
	struct sigaction action = { .sa_handler = kick_handler };

	sigaction(KICK_SIGNAL, &action, NULL);
}

static int do_run(const struct step *step)
{
	struct handle *vcpu = handle_find(step->words[1]);
	int result;

	if (!vcpu || !vcpu->run)
		return step_error("no such vCPU", EBADF);
	kick_prepare();
	vcpu->runner = pthread_self();
	__atomic_store_n(&vcpu->running, true, __ATOMIC_RELEASE);
	do {
		result = ioctl(vcpu->fd, KVM_RUN, 0);
	} while (result && errno == EINTR && !vcpu->run->immediate_exit);
	__atomic_store_n(&vcpu->running, false, __ATOMIC_RELEASE);
	if (result && errno == EINTR) {
		vcpu->run->immediate_exit = 0;
		return 0;
	}
	if (result)
		return step_fail("KVM_RUN");
	fprintf(stderr, "ltguest: KVM_RUN left with exit reason %u\n", vcpu->run->exit_reason);
	return step_error("KVM_RUN left without a kick", EPROTO);
}

static int do_kick(const struct step *step)
{
	struct handle *vcpu = handle_find(step->words[1]);

	if (!vcpu || !vcpu->run)
		return step_error("no such vCPU", EBADF);
	if (!__atomic_load_n(&vcpu->running, __ATOMIC_ACQUIRE))
		return step_error("vCPU does not run", ESRCH);
	vcpu->run->immediate_exit = 1;
	return pthread_kill(vcpu->runner, KICK_SIGNAL) ? step_fail("pthread_kill") : 0;
}

/* A page of a file becomes guest memory at the address. */
static int do_memory(const struct step *step)
{
	struct kvm_userspace_memory_region region = { .slot = 1, .memory_size = 0x1000 };
	int fd = open(step->words[3], O_RDWR | O_CLOEXEC);
	unsigned long long address;
	void *page;

	if (fd < 0)
		return step_fail("open");
	page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return step_fail("mmap");
	if (parse_number(step->words[2], &address))
		return -EINVAL;
	region.guest_phys_addr = address;
	region.userspace_addr = (uintptr_t)page;
	return ioctl(handle_fd(step->words[1]), KVM_SET_USER_MEMORY_REGION, &region)
		       ? step_fail("KVM_SET_USER_MEMORY_REGION")
		       : 0;
}

static int do_nmi(const struct step *step)
{
	return machine_nmi(handle_fd(step->words[1]));
}

/* Any call that takes the vCPU's mutex for a moment. */
static int do_regs(const struct step *step)
{
	return machine_regs(handle_fd(step->words[1]));
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* One after the other: calls that take the vCPU's mutex, and under it now and then the VM's APIC map lock. */
static int do_hammer(const struct step *step)
{
	int vcpu = handle_fd(step->words[1]);
	unsigned long long ms, pause_us;
	uint64_t end;
	int err = parse_number(step->words[2], &ms);

	if (!err)
		err = step_number(step, 3, 0, &pause_us);
	if (err)
		return err;
	end = now_ms() + ms;
	for (unsigned int i = 0; now_ms() < end && !err; i++) {
		err = i % 8 ? machine_regs(vcpu) : machine_apic(vcpu);
		if (pause_us)
			usleep((useconds_t)pause_us);
	}
	return err;
}

/* This thread only runs on one CPU. */
static int do_pin(const struct step *step)
{
	unsigned long long cpu;
	cpu_set_t cpus;
	int err = parse_number(step->words[1], &cpu);

	if (err)
		return err;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? step_fail("sched_setaffinity") : 0;
}

/* And before all others there. */
static int do_fifo(const struct step *step)
{
	unsigned long long priority;
	struct sched_param param = { 0 };
	int err = parse_number(step->words[1], &priority);

	if (err)
		return err;
	param.sched_priority = (int)priority;
	return sched_setscheduler(0, SCHED_FIFO, &param) ? step_fail("sched_setscheduler") : 0;
}

static int do_kvmvfio(const struct step *step)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int fd = ioctl(handle_fd(step->words[2]), KVM_CREATE_DEVICE, &device) ? -1 : (int)device.fd;

	return handle_add(step->words[1], fd, "KVM_CREATE_DEVICE", NULL);
}

static int kvm_vfio_set_group(const struct step *step, uint64_t attribute, const char *call)
{
	int32_t group = handle_fd(step->words[2]);
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = attribute,
		.addr = (uintptr_t)&group,
	};

	return ioctl(handle_fd(step->words[1]), KVM_SET_DEVICE_ATTR, &attr) ? step_fail(call) : 0;
}

static int do_groupadd(const struct step *step)
{
	return kvm_vfio_set_group(step, KVM_DEV_VFIO_GROUP_ADD, "KVM_DEV_VFIO_GROUP_ADD");
}

static int do_groupdel(const struct step *step)
{
	return kvm_vfio_set_group(step, KVM_DEV_VFIO_GROUP_DEL, "KVM_DEV_VFIO_GROUP_DEL");
}

/* VFIO */

static int do_container(const struct step *step)
{
	return handle_add(step->words[1], open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "open /dev/vfio/vfio",
			  NULL);
}

/* Groups without a real IOMMU behind them have "noiommu-" in their name. */
static int do_group(const struct step *step)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%.32s", step->words[2]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return handle_add(step->words[1], fd, "open of the group in /dev/vfio", NULL);
}

static int do_setcontainer(const struct step *step)
{
	int container = handle_fd(step->words[2]);

	return ioctl(handle_fd(step->words[1]), VFIO_GROUP_SET_CONTAINER, &container)
		       ? step_fail("VFIO_GROUP_SET_CONTAINER")
		       : 0;
}

static int do_unsetcontainer(const struct step *step)
{
	return ioctl(handle_fd(step->words[1]), VFIO_GROUP_UNSET_CONTAINER)
		       ? step_fail("VFIO_GROUP_UNSET_CONTAINER")
		       : 0;
}

static int do_iommu(const struct step *step)
{
	unsigned long type = VFIO_TYPE1v2_IOMMU;

	if (step->count > 2) {
		if (!strcmp(step->words[2], "type1"))
			type = VFIO_TYPE1_IOMMU;
		else if (strcmp(step->words[2], "type1v2"))
			return step_error("IOMMU type is type1 or type1v2", EINVAL);
	}
	return ioctl(handle_fd(step->words[1]), VFIO_SET_IOMMU, type) ? step_fail("VFIO_SET_IOMMU") : 0;
}

static int do_map(const struct step *step)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
	};
	unsigned long long iova, size;
	void *memory;

	if (parse_number(step->words[2], &iova) || parse_number(step->words[3], &size))
		return -EINVAL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return step_fail("mmap");
	map.vaddr = (uintptr_t)memory;
	map.iova = iova;
	map.size = size;
	return ioctl(handle_fd(step->words[1]), VFIO_IOMMU_MAP_DMA, &map) ? step_fail("VFIO_IOMMU_MAP_DMA")
									  : 0;
}

static int do_unmap(const struct step *step)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap) };
	unsigned long long iova, size;

	if (parse_number(step->words[2], &iova) || parse_number(step->words[3], &size))
		return -EINVAL;
	unmap.iova = iova;
	unmap.size = size;
	return ioctl(handle_fd(step->words[1]), VFIO_IOMMU_UNMAP_DMA, &unmap)
		       ? step_fail("VFIO_IOMMU_UNMAP_DMA")
		       : 0;
}

static int do_device(const struct step *step)
{
	int fd = ioctl(handle_fd(step->words[2]), VFIO_GROUP_GET_DEVICE_FD, step->words[3]);

	return handle_add(step->words[1], fd, "VFIO_GROUP_GET_DEVICE_FD", NULL);
}

/* Locks, time, talk */

/* What the kernel does for it is done by this very thread. */
static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int err;

	if (fd < 0)
		return step_fail("open for writing");
	written = write(fd, text, strlen(text));
	err = written < 0 ? step_fail("write") : 0;
	close(fd);
	return err;
}

/* To a file in sysfs, for example. */
static int do_write(const struct step *step)
{
	return write_text(step->words[1], step->words[2]);
}

static int do_locks(const struct step *step)
{
	return write_text("/dev/lt_locks", step->rest);
}

/* One word for lt_objects, with what follows it: a handle's name becomes its file's number. */
static void put_word(FILE *out, const char *word, size_t length, char after)
{
	char name[NAME_MAX_LENGTH];
	struct handle *handle = NULL;

	if (length && length < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)length, word);
		handle = handle_find(name);
	}
	if (handle)
		fprintf(out, "%d", handle->fd);
	else
		fprintf(out, "%.*s", (int)length, word);
	if (after)
		fputc(after, out);
}

static int do_objects(const struct step *step)
{
	const char *word = step->rest;
	char *commands = NULL;
	size_t size, length;
	FILE *out = open_memstream(&commands, &size);
	int err;

	if (!out)
		return step_fail("open_memstream");
	for (; *word; word += length + (word[length] != '\0')) {
		length = strcspn(word, ", \t");
		put_word(out, word, length, word[length]);
	}
	fclose(out);
	err = write_text("/dev/lt_objects", commands);
	free(commands);
	return err;
}

static int do_sleep(const struct step *step)
{
	unsigned long long ms;
	int err = parse_number(step->words[1], &ms);

	if (!err)
		usleep((useconds_t)ms * 1000);
	return err;
}

static int do_print(const struct step *step)
{
	printf("%s\n", step->rest);
	return 0;
}

static int do_touch(const struct step *step)
{
	int fd = open(step->words[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return step_fail("create");
	close(fd);
	return 0;
}

static int do_await(const struct step *step)
{
	unsigned long long ms, waited;
	int err = step_number(step, 2, 10000, &ms);

	if (err)
		return err;
	for (waited = 0; access(step->words[1], F_OK); waited += 20) {
		if (waited >= ms)
			return step_error("file did not appear", ETIMEDOUT);
		usleep(20000);
	}
	return 0;
}

static int do_join(const struct step *step)
{
	unsigned long long ms;
	int err = step_number(step, 2, 0, &ms);

	if (err)
		return err;
	err = task_join(step->words[1], (unsigned int)ms);
	if (err == -ETIMEDOUT)
		return step_error("the task is still busy", ETIMEDOUT);
	if (err == -EIO)
		return step_error("a step of the task failed", EIO);
	return err ? step_error("join", -err) : 0;
}

static int do_hangs(const struct step *step)
{
	unsigned long long ms;
	int err = parse_number(step->words[2], &ms);

	if (err)
		return err;
	err = task_join(step->words[1], ms ? (unsigned int)ms : 1);
	if (err == -ETIMEDOUT)
		return 0;
	return err && err != -EIO ? step_error("hangs", -err) : step_error("the task does not hang", EPROTO);
}

/* A signal that does nothing but end what the task waits for, if it can be ended. */
static int do_interrupt(const struct step *step)
{
	int err;

	kick_prepare();
	err = task_signal(step->words[1], KICK_SIGNAL);
	return err ? step_error("signal", -err) : 0;
}

/* Crowds: many tasks and files, for what looks at all of them */

#define CROWD_STACK 32768

static void *crowd_main(void *unused)
{
	prctl(PR_SET_NAME, "lt_idle");
	for (;;)
		pause();
	return unused;
}

static int do_threads(const struct step *step)
{
	unsigned long long count;
	pthread_attr_t attributes;
	pthread_t thread;
	int err = parse_number(step->words[1], &count);

	if (err)
		return err;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, CROWD_STACK);
	while (count-- && !err)
		err = pthread_create(&thread, &attributes, crowd_main, NULL);
	pthread_attr_destroy(&attributes);
	return err ? step_error("pthread_create", err) : 0;
}

static int do_files(const struct step *step)
{
	struct rlimit limit;
	unsigned long long count;

	if (parse_number(step->words[1], &count))
		return -EINVAL;
	limit.rlim_cur = limit.rlim_max = count + 1024;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return step_fail("setrlimit");
	while (count--) {
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return step_fail("open /dev/null");
	}
	return 0;
}

/* What a child process does that has the handles of this one, as they are now. */
static void __attribute__((noreturn)) fork_main(const char *name, char *steps)
{
	char *one;

	prctl(PR_SET_NAME, name);
	while ((one = strsep(&steps, ","))) {
		if (step_line(one))
			_exit(1);
	}
	for (;;)
		pause();
}

static int do_fork(const struct step *step)
{
	char *steps = strdup(step->rest + strcspn(step->rest, " \t"));
	pid_t pid;

	if (!steps)
		return step_error("strdup", ENOMEM);
	pid = fork();
	if (!pid)
		fork_main(step->words[1], steps);
	free(steps);
	return pid < 0 ? step_fail("fork") : 0;
}

static int do_exit(const struct step *step)
{
	unsigned long long status;
	int err = parse_number(step->words[1], &status);

	if (err)
		return err;
	fflush(stdout);
	_exit((int)status);
}

/* The table; minimum and maximum are words after the step's name, -1: any. */
static const struct step_kind {
	const char *word;
	int minimum;
	int maximum;
	int (*run)(const struct step *step);
} step_kinds[] = {
	{ "vm", 1, 1, do_vm },
	{ "vcpu", 2, 3, do_vcpu },
	{ "run", 1, 1, do_run },
	{ "kick", 1, 1, do_kick },
	{ "memory", 3, 3, do_memory },
	{ "nmi", 1, 1, do_nmi },
	{ "regs", 1, 1, do_regs },
	{ "hammer", 2, 3, do_hammer },
	{ "pin", 1, 1, do_pin },
	{ "fifo", 1, 1, do_fifo },
	{ "kvmvfio", 2, 2, do_kvmvfio },
	{ "groupadd", 2, 2, do_groupadd },
	{ "groupdel", 2, 2, do_groupdel },
	{ "container", 1, 1, do_container },
	{ "group", 2, 2, do_group },
	{ "setcontainer", 2, 2, do_setcontainer },
	{ "unsetcontainer", 1, 1, do_unsetcontainer },
	{ "iommu", 1, 2, do_iommu },
	{ "map", 3, 3, do_map },
	{ "unmap", 3, 3, do_unmap },
	{ "device", 3, 3, do_device },
	{ "close", 1, 1, do_close },
	{ "locks", 1, -1, do_locks },
	{ "objects", 1, -1, do_objects },
	{ "sleep", 1, 1, do_sleep },
	{ "print", 0, -1, do_print },
	{ "touch", 1, 1, do_touch },
	{ "write", 2, 2, do_write },
	{ "await", 1, 2, do_await },
	{ "join", 1, 2, do_join },
	{ "hangs", 2, 2, do_hangs },
	{ "interrupt", 1, 1, do_interrupt },
	{ "threads", 1, 1, do_threads },
	{ "files", 1, 1, do_files },
	{ "fork", 2, -1, do_fork },
	{ "exit", 1, 1, do_exit },
};

static const struct step_kind *kind_find(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(step_kinds) / sizeof(step_kinds[0]); i++) {
		if (!strcmp(step_kinds[i].word, word))
			return &step_kinds[i];
	}
	return NULL;
}

/* Splits text in place; words beyond WORDS_MAX stay in rest only. */
static void step_split(struct step *step, char *text, const char *whole)
{
	char *word;

	memset(step, 0, sizeof(*step));
	step->rest = whole + strcspn(whole, " \t");
	step->rest += strspn(step->rest, " \t");
	while (step->count < WORDS_MAX && (word = strsep(&text, " \t"))) {
		if (*word)
			step->words[step->count++] = word;
	}
}

int step_run(const char *text)
{
	const struct step_kind *kind;
	char copy[STEP_MAX];
	struct step step;

	snprintf(copy, sizeof(copy), "%s", text);
	step_split(&step, copy, text);
	if (!step.count)
		return step_error("empty step", EINVAL);
	kind = kind_find(step.words[0]);
	if (!kind)
		return step_error("no such step (see --help)", EINVAL);
	if (step.count - 1 < kind->minimum || (kind->maximum >= 0 && step.count - 1 > kind->maximum))
		return step_error("wrong number of words (see --help)", EINVAL);
	errno = 0;
	return kind->run(&step);
}

static const struct {
	int number;
	const char *name;
} errno_names[] = {
#define ERRNO_NAME(name)    \
	{                   \
		name, #name \
	}
	ERRNO_NAME(EPERM),   ERRNO_NAME(ENOENT),    ERRNO_NAME(ESRCH),  ERRNO_NAME(EINTR),
	ERRNO_NAME(EIO),     ERRNO_NAME(ENXIO),     ERRNO_NAME(EBADF),  ERRNO_NAME(EAGAIN),
	ERRNO_NAME(ENOMEM),  ERRNO_NAME(EACCES),    ERRNO_NAME(EFAULT), ERRNO_NAME(EBUSY),
	ERRNO_NAME(EEXIST),  ERRNO_NAME(ENODEV),    ERRNO_NAME(EINVAL), ERRNO_NAME(ENOTTY),
	ERRNO_NAME(ENOSPC),  ERRNO_NAME(EDEADLK),   ERRNO_NAME(EPROTO), ERRNO_NAME(EMSGSIZE),
	ERRNO_NAME(ENOTSUP), ERRNO_NAME(ETIMEDOUT),
};

const char *errno_name(int number)
{
	size_t i;

	for (i = 0; i < sizeof(errno_names) / sizeof(errno_names[0]); i++) {
		if (errno_names[i].number == number)
			return errno_names[i].name;
	}
	return "unnamed";
}

int errno_number(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(errno_names) / sizeof(errno_names[0]); i++) {
		if (!strcmp(errno_names[i].name, name))
			return errno_names[i].number;
	}
	return -1;
}
