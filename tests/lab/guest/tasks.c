// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * ltguest's tasks: named threads (a queue each) and named processes (this
 * program again, with a pipe for lines and one for answers). A task runs its
 * steps one after the other and carries its name as the kernel's comm.
 * Both are seen from outside as a count of steps handed over and not finished.
 */
#include "ltguest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define TASKS_MAX 64
#define CHILD_LINES_FD 3
#define CHILD_ANSWERS_FD 4

struct queued_step {
	struct queued_step *next;
	char text[STEP_MAX];
};

struct task {
	char name[NAME_MAX_LENGTH];
	bool process;
	/* under tasks_lock: */
	unsigned int pending; /* steps handed over and not finished */
	bool failed;          /* a step failed that nobody waited for yet */
	/* threads only */
	struct queued_step *first;
	pthread_t thread;
	/* processes only; the answers are read by a thread that has no other work */
	int lines_fd;
	int answers_fd;
};

static struct task tasks[TASKS_MAX];
static unsigned int tasks_count;
static pthread_mutex_t tasks_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t tasks_changed; /* on CLOCK_MONOTONIC: see tasks_init() */
static pthread_once_t tasks_once = PTHREAD_ONCE_INIT;
static __thread const struct task *self;
static char child_name[NAME_MAX_LENGTH];

static void tasks_init(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&tasks_changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

const char *task_self(void)
{
	return self ? self->name : child_name;
}

/* Called with tasks_lock held. */
static void task_finished(struct task *task, int err)
{
	task->pending--;
	if (err)
		task->failed = true;
	pthread_cond_broadcast(&tasks_changed);
}

static void task_step_done(struct task *task, int err)
{
	pthread_mutex_lock(&tasks_lock);
	task_finished(task, err);
	pthread_mutex_unlock(&tasks_lock);
}

static struct queued_step *task_next_step(struct task *task)
{
	struct queued_step *step;

	pthread_mutex_lock(&tasks_lock);
	while (!task->first)
		pthread_cond_wait(&tasks_changed, &tasks_lock);
	step = task->first;
	task->first = step->next;
	pthread_mutex_unlock(&tasks_lock);
	return step;
}

static void *task_thread_main(void *argument)
{
	struct task *task = argument;
	struct queued_step *step;

	self = task;
	prctl(PR_SET_NAME, task->name);
	for (;;) {
		step = task_next_step(task);
		task_step_done(task, step_line(step->text));
		free(step);
	}
	return NULL;
}

/* Counts the answers of a child process, one byte each. */
static void *task_answers_main(void *argument)
{
	struct task *task = argument;
	char answer;

	prctl(PR_SET_NAME, "lt_answers");
	while (read(task->answers_fd, &answer, 1) == 1)
		task_step_done(task, answer == '0' ? 0 : -EIO);
	/* The child is gone: nothing it was given will finish any more. */
	pthread_mutex_lock(&tasks_lock);
	while (task->pending)
		task_finished(task, -EIO);
	pthread_mutex_unlock(&tasks_lock);
	return NULL;
}

int task_child_main(const char *name)
{
	FILE *lines = fdopen(CHILD_LINES_FD, "re");
	char *line = NULL;
	size_t size = 0;
	char answer;

	snprintf(child_name, sizeof(child_name), "%s", name);
	prctl(PR_SET_NAME, child_name);
	while (lines && getline(&line, &size, lines) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		answer = step_line(line) ? '1' : '0';
		if (write(CHILD_ANSWERS_FD, &answer, 1) != 1)
			break;
	}
	fflush(stdout);
	_exit(0);
}

/* In the child: the two pipe ends move to their fixed numbers. */
static void child_exec(const char *name, int lines, int answers)
{
	char guest[2 * NAME_MAX_LENGTH];

	/* First out of the way of 3 and 4, then there. */
	lines = dup2(lines, 200);
	answers = dup2(answers, 201);
	dup2(lines, CHILD_LINES_FD);
	dup2(answers, CHILD_ANSWERS_FD);
	close(lines);
	close(answers);
	snprintf(guest, sizeof(guest), "guest=%.*s", NAME_MAX_LENGTH, name);
	execl("/proc/self/exe", "ltguest", "-name", guest, "--child", name, (char *)NULL);
	_exit(127);
}

static int task_start_process(struct task *task)
{
	pthread_t thread;
	int lines[2], answers[2];
	pid_t pid;

	if (pipe2(lines, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child_exec(task->name, lines[0], answers[1]);
	close(lines[0]);
	close(answers[1]);
	task->lines_fd = lines[1];
	task->answers_fd = answers[0];
	return -pthread_create(&thread, NULL, task_answers_main, task);
}

static int task_start(struct task *task)
{
	if (task->process)
		return task_start_process(task);
	return -pthread_create(&task->thread, NULL, task_thread_main, task);
}

/* Called with tasks_lock held. */
static struct task *task_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < tasks_count; i++) {
		if (!strcmp(tasks[i].name, name))
			return &tasks[i];
	}
	return NULL;
}

/* Called with tasks_lock held. */
static int task_find_or_start(const char *name, bool process, struct task **task)
{
	struct task *new;
	int err;

	*task = task_find(name);
	if (*task)
		return (*task)->process == process ? 0 : -EEXIST;
	if (tasks_count == TASKS_MAX)
		return -ENOSPC;
	new = &tasks[tasks_count];
	snprintf(new->name, sizeof(new->name), "%s", name);
	new->process = process;
	err = task_start(new);
	if (err)
		return err;
	tasks_count++;
	*task = new;
	return 0;
}

static int task_queue_step(struct task *task, const char *text)
{
	struct queued_step **tail = &task->first;
	struct queued_step *step = calloc(1, sizeof(*step));

	if (!step)
		return -ENOMEM;
	snprintf(step->text, sizeof(step->text), "%s", text);
	while (*tail)
		tail = &(*tail)->next;
	*tail = step;
	pthread_cond_broadcast(&tasks_changed);
	return 0;
}

static int task_send_step(struct task *task, const char *text)
{
	return dprintf(task->lines_fd, "%s\n", text) < 0 ? -errno : 0;
}

/* Called with tasks_lock held. */
static int task_hand_over(const char *name, bool process, const char *step)
{
	struct task *task;
	int err;

	err = task_find_or_start(name, process, &task);
	if (err)
		return err;
	err = process ? task_send_step(task, step) : task_queue_step(task, step);
	if (!err)
		task->pending++;
	return err;
}

int task_submit(const char *name, bool process, const char *step, bool wait)
{
	int err;

	pthread_once(&tasks_once, tasks_init);
	pthread_mutex_lock(&tasks_lock);
	err = task_hand_over(name, process, step);
	pthread_mutex_unlock(&tasks_lock);
	if (err) {
		fprintf(stderr, "ltguest: task %s: %s\n", name, strerror(-err));
		return err;
	}
	return wait ? task_join(name, 0) : 0;
}

static struct timespec deadline_after(unsigned int ms)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += ms / 1000;
	deadline.tv_nsec += (long)(ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	return deadline;
}

/* Called with tasks_lock held. */
static int task_wait_idle(struct task *task, unsigned int ms)
{
	struct timespec deadline = deadline_after(ms);
	int err = 0;

	while (task->pending && !err) {
		if (ms)
			err = -pthread_cond_timedwait(&tasks_changed, &tasks_lock, &deadline);
		else
			err = -pthread_cond_wait(&tasks_changed, &tasks_lock);
	}
	if (err)
		return err;
	if (task->failed) {
		task->failed = false;
		return -EIO;
	}
	return 0;
}

int task_join(const char *name, unsigned int ms)
{
	struct task *task;
	int err;

	pthread_once(&tasks_once, tasks_init);
	pthread_mutex_lock(&tasks_lock);
	task = task_find(name);
	err = task ? task_wait_idle(task, ms) : -ESRCH;
	pthread_mutex_unlock(&tasks_lock);
	return err;
}

int task_signal(const char *name, int number)
{
	struct task *task;
	int err = -ESRCH;

	pthread_once(&tasks_once, tasks_init);
	pthread_mutex_lock(&tasks_lock);
	task = task_find(name);
	if (task && !task->process)
		err = -pthread_kill(task->thread, number);
	pthread_mutex_unlock(&tasks_lock);
	return err;
}

bool tasks_failed(void)
{
	unsigned int i;
	bool failed = false;

	pthread_mutex_lock(&tasks_lock);
	for (i = 0; i < tasks_count; i++)
		failed = failed || tasks[i].failed;
	pthread_mutex_unlock(&tasks_lock);
	return failed;
}
