/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side, one object: its parts share the maps and the global data.
 *   state.bpf.h     knobs, tables, maps
 *   held.bpf.h      the held stack of a task
 *   watch.bpf.h     the watched locks and the filter
 *   describe.bpf.h  names of foreign locks
 *   hooks.bpf.h     lock calls -> held stack -> new chains
 *   readers.bpf.h   readers of rwsems: what only a return or a release tells
 *   calls.bpf.h     calls that rules speak of, misuse of locks, initialisers
 *   objects.bpf.h   VMs, groups, devices: their births, deaths, scopes; what lives
 *   sighting.bpf.h  the same where nothing can be hooked, by looking again
 *   contention.bpf.h  lock calls where nothing can be hooked: those that wait
 * User space loads those programs whose targets exist and that it will attach.
 */
#include "contention.bpf.h"
#include "objects.bpf.h"

char LICENSE[] SEC("license") = "GPL";
