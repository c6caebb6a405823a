/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side, one object: its parts share the maps and the global data.
 *   state.bpf.h     knobs, tables, maps
 *   held.bpf.h      the held stack of a task
 *   watch.bpf.h     the watched locks and the filter
 *   describe.bpf.h  names of foreign locks
 *   hooks.bpf.h     lock calls -> held stack -> new chains
 *   calls.bpf.h     calls that rules speak of, misuse of locks, initialisers
 *   objects.bpf.h   VMs, groups, devices: their births, deaths, scopes; what lives
 * User space loads those programs whose targets exist and that it will attach.
 */
#include "objects.bpf.h"

char LICENSE[] SEC("license") = "GPL";
