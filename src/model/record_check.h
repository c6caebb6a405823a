/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Whether a record may be believed to be what it says: before anything else looks into it. */
#ifndef LOCKTRACE_MODEL_RECORD_CHECK_H
#define LOCKTRACE_MODEL_RECORD_CHECK_H

#include <stddef.h>

#include "locktrace/record.h"

/* 0, -EINVAL or -ENOTSUP, as model_feed(). Reads no byte beyond size. */
int record_check(const struct lt_record_header *record, size_t size);

#endif
