/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The version, in one place. */
#ifndef LOCKTRACE_VERSION_H
#define LOCKTRACE_VERSION_H

#define LOCKTRACE_VERSION "0.1.0"

#endif
