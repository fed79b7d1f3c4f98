#include "border.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lathe_host host;

struct owned_error {
  lathe_error error;
  char text[512];
};

static void release_owned(lathe_error *error) { free(error); }
static void release_nothing(lathe_error *error) { (void)error; }

lathe_error *fail(uint32_t code, const char *format, ...) {
  static lathe_error no_memory = {.struct_size = sizeof no_memory,
                                  .code = LATHE_ERROR_RESOURCE_EXHAUSTED,
                                  .message = TEXT("null: the host's memory is used up"),
                                  .release = release_nothing};
  struct owned_error *owned = calloc(1, sizeof *owned);
  if (!owned)
    return &no_memory;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(owned->text, sizeof owned->text, format, arguments);
  va_end(arguments);
  const lathe_string message = {owned->text, strlen(owned->text)};
  owned->error = (lathe_error){sizeof owned->error, code, 0, message, release_owned};
  return &owned->error;
}

void write_text(lathe_text_out *out, const char *text) {
  out->size = strlen(text);
  size_t room = out->capacity < out->size ? out->capacity : out->size;
  if (out->data && room > 0)
    memcpy(out->data, text, room);
}

bool text_is(lathe_string text, const char *expected) {
  return text.size == strlen(expected) &&
         (text.size == 0 || memcmp(text.data, expected, text.size) == 0);
}

void for_each_item(lathe_task task, void *context, int64_t count) {
  if (host.parallel)
    host.parallel(host.context, task, context, count);
  else
    task(context, 0, count);
}
