// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Ends the lab's virtual machine: "ltexit STATUS", and QEMU exits with
 * 2 * STATUS + 1. On x86 by QEMU's isa-debug-exit device at port 0xf4, on arm64 by a
 * semihosting call (QEMU's option userspace=on). "ltexit -" opens the way at once and
 * reads the status from its standard input: for a guest that is going to forbid what
 * opens the port (lockdown). Called by the guest's /init. Both
 * work with tasks stuck in the kernel, where an orderly power-off would wait for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <sys/io.h>

#define EXIT_PORT 0xf4

static int prepare(void)
{
	int err = ioperm(EXIT_PORT, 4, 1);

	if (err)
		perror("ltexit: ioperm");
	return err;
}

static void end_machine(unsigned int status)
{
	outl(status, EXIT_PORT);
}
#elif defined(__aarch64__)
/* SYS_EXIT of Arm's "Semihosting for AArch32 and AArch64"; a reason and a status. */
#define SYS_EXIT 0x18
#define APPLICATION_EXIT 0x20026

static int prepare(void)
{
	return 0;
}

static void end_machine(unsigned int status)
{
	const unsigned long block[2] = { APPLICATION_EXIT, 2UL * status + 1 };
	register unsigned long operation asm("x0") = SYS_EXIT;
	register const unsigned long *parameters asm("x1") = block;

	asm volatile("hlt 0xf000" : "+r"(operation) : "r"(parameters) : "memory");
}
#endif

int main(int argc, char **argv)
{
	char line[16];
	const char *status = line;

	if (argc != 2) {
		fprintf(stderr, "usage: ltexit STATUS|-\n");
		return 2;
	}
	if (prepare())
		return 2;
	if (strcmp(argv[1], "-") != 0)
		status = argv[1];
	else if (puts("the way is open") < 0 || fflush(stdout) || !fgets(line, sizeof(line), stdin))
		return 2;
	end_machine((unsigned int)atoi(status));
	fprintf(stderr, "ltexit: still here: QEMU does not take an exit status from this machine\n");
	return 2;
}
