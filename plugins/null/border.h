// What each file of a plugin needs at the border: errors, texts, the host. Nothing in here is about
// this device.
//
// Structs begin with the size that their writer knew. Every field that is used here came with abi
// 1.0, the first, so it is always there; ask LATHE_HAS_FIELD before a later one is read or set.
#ifndef NULL_BORDER_H
#define NULL_BORDER_H

#include <stdbool.h>

#include <lathe/plugin.h>

#define TEXT(literal)                                                                              \
  { literal, sizeof(literal) - 1 }

// For "%.*s": as much of a text of the host as an error should repeat.
#define SHOWN(text) (int)((text).size < 80 ? (text).size : 80), (text).data

// Owned by who called the plugin. `format` as in printf.
lathe_error *fail(uint32_t code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// As much as fits, and the size of all of it; a capacity of 0 is a question for the size.
void write_text(lathe_text_out *out, const char *text);
bool text_is(lathe_string text, const char *expected);

// The host that entered the plugin; functions that an older one lacks are NULL.
extern lathe_host host;
// Runs task over items [0, count), on the host's threads where it has some.
void for_each_item(lathe_task task, void *context, int64_t count);

#endif
