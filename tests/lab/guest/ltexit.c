// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Ends the lab's virtual machine: "ltexit STATUS" writes to QEMU's
 * isa-debug-exit device at port 0xf4, and QEMU exits with 2 * STATUS + 1.
 * Called by the guest's /init. A port because it works with tasks stuck in the
 * kernel, where an orderly power-off would wait for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>

#define EXIT_PORT 0xf4

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: ltexit STATUS\n");
		return 2;
	}
	if (ioperm(EXIT_PORT, 4, 1)) {
		perror("ltexit: ioperm");
		return 2;
	}
	outl((unsigned int)atoi(argv[1]), EXIT_PORT);
	fprintf(stderr, "ltexit: still here: no isa-debug-exit device at %#x\n", EXIT_PORT);
	return 2;
}
