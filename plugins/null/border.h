// What each file of a plugin needs at the border: structs of either age, errors, texts, the host.
// Nothing in here is about this device.
#ifndef NULL_BORDER_H
#define NULL_BORDER_H

#include <stdbool.h>

#include <lathe/plugin.h>

#define TEXT(literal)                                                                              \
  { literal, sizeof(literal) - 1 }

// For "%.*s": as much of a text of the host as an error should repeat.
#define SHOWN(text) (int)((text).size < 80 ? (text).size : 80), (text).data

// A struct of the other side may be shorter than ours, since older, or longer, since newer. So it
// is never used in place: TAKE makes a copy in which what the other side does not know is zero, and
// `give` writes an answer back as far as the other side has room for it.
#define TAKE(type, mine, theirs)                                                                   \
  type mine;                                                                                       \
  take(&mine, sizeof mine, theirs)
void take(void *mine, size_t size, const void *theirs);
lathe_error *give(void *theirs, const void *mine); // NULL, as the end of a function that succeeds

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
