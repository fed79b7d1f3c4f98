// A plugin that does one thing wrong, chosen when it is built; with none chosen it does everything
// right: two devices, two targets, no code.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/abi/plugin.h"

#define TEXT(s)                                                                                    \
  { s, sizeof(s) - 1 }

#ifndef BAD_MAJOR
#define BAD_MAJOR LATHE_ABI_MAJOR
#endif
#ifndef BAD_NAME
#define BAD_NAME "bad"
#endif
#ifndef BAD_TARGET
#define BAD_TARGET "bad-2"
#endif
#ifndef BAD_SIZE
#define BAD_SIZE sizeof(lathe_plugin)
#endif
#ifndef BAD_TABLE_SIZE
#define BAD_TABLE_SIZE sizeof(lathe_device_api)
#endif
#ifndef BAD_DEVICE_COUNT
#define BAD_DEVICE_COUNT 2
#endif
#ifndef BAD_TARGET_COUNT
#define BAD_TARGET_COUNT 2
#endif

struct lathe_device {
  uint32_t index;
};

static void release(lathe_error *error) { free(error); }

static lathe_error *give(uint32_t code, const char *text) {
  lathe_error *error = calloc(1, sizeof *error);
  error->struct_size = sizeof *error;
  error->code = code;
  error->message.data = text;
  error->message.size = strlen(text);
  error->release = release;
  return error;
}

static lathe_error *device_list(lathe_device_list_args *args) {
  args->device_count = BAD_DEVICE_COUNT;
  return NULL;
}

static lathe_error *device_open(lathe_device_open_args *args) {
#ifdef BAD_CRASH_IN_OPEN
  abort();
#endif
#ifdef BAD_ERROR_IN_OPEN
  return give(LATHE_ERROR_UNAVAILABLE, "the chip is gone");
#endif
  args->device = malloc(sizeof *args->device);
  args->device->index = args->index;
  return NULL;
}

static lathe_error *device_close(lathe_device_args *args) {
  free(args->device);
  return NULL;
}

static lathe_error *properties(lathe_device_properties_args *args) {
  lathe_device_properties mine = {0};
  mine.struct_size = args->properties->struct_size;
  mine.name = (lathe_string)TEXT("a chip that is not there");
  mine.kind = (lathe_string)TEXT("npu");
  mine.compatibility = (lathe_string)TEXT("arch=bad");
  mine.level = (lathe_string)TEXT("bad-2");
  mine.details = (lathe_string)TEXT("{\"cores\": 3}");
  mine.memory_bytes = 1 << 20;
  mine.parallelism = 3 + args->device->index;
  mine.simulated = 1;
  memcpy(args->properties, &mine, mine.struct_size < sizeof mine ? mine.struct_size : sizeof mine);
  return NULL;
}

static lathe_error *no(void) { return give(LATHE_ERROR_UNIMPLEMENTED, "bad: does nothing"); }

static const lathe_device_api devices = {
    .struct_size = BAD_TABLE_SIZE,
    .device_list = device_list,
    .device_open = device_open,
    .device_close = device_close,
    .properties = properties,
    .buffer_allocate = (lathe_error * (*)(lathe_buffer_allocate_args *)) no,
    .buffer_release = (lathe_error * (*)(lathe_buffer_args *)) no,
    .buffer_map = (lathe_error * (*)(lathe_buffer_map_args *)) no,
    .buffer_unmap = (lathe_error * (*)(lathe_buffer_args *)) no,
    .executable_load = (lathe_error * (*)(lathe_executable_load_args *)) no,
    .executable_release = (lathe_error * (*)(lathe_executable_args *)) no,
    .executable_entry = (lathe_error * (*)(lathe_executable_entry_args *)) no,
#ifndef BAD_NO_RUN
    .run = (lathe_error * (*)(lathe_run_args *)) no,
#endif
};

static const lathe_target target1 = {.struct_size = sizeof(lathe_target),
                                     .name = TEXT("bad-1"),
                                     .description = TEXT("half of a chip"),
                                     .compatibility = TEXT("arch=bad"),
                                     .memory_bytes = 1 << 20,
                                     .takes = LATHE_TAKES_OPS};
static const lathe_target target2 = {
    .struct_size = sizeof(lathe_target),
    .name = TEXT(BAD_TARGET),
    .takes = LATHE_TAKES_PARTITIONS,
#ifdef BAD_TILE
    .tile_rows = BAD_TILE,
#endif
};
static const lathe_target *const targets[] = {&target1,
#ifdef BAD_NULL_TARGET
                                              NULL
#else
                                              &target2
#endif
};

static lathe_error *target_list(lathe_target_list_args *args) {
  args->targets = targets;
  args->target_count = BAD_TARGET_COUNT;
  return NULL;
}

static const lathe_compile_api compiler = {
    .struct_size = sizeof(lathe_compile_api),
    .target_list = target_list,
    .supports = (lathe_error * (*)(lathe_support_args *)) no,
#ifndef BAD_NO_COMPILE
    .compile = (lathe_error * (*)(lathe_compile_args *)) no,
#endif
};

static const lathe_plugin plugin = {
    .struct_size = BAD_SIZE,
    .abi_major = BAD_MAJOR,
    .abi_minor = 7,
    .name = TEXT(BAD_NAME),
    .version = TEXT("0.3.1"),
    .description = TEXT("a plugin of a test"),
#ifdef BAD_FEATURES
    .features = BAD_FEATURES,
#endif
#ifndef BAD_NO_HALVES
    .devices = &devices,
    .compiler = &compiler,
#endif
};

#ifdef BAD_CONSTRUCTOR
__attribute__((constructor)) static void ends_the_process(void) { _exit(3); }
#endif
#ifdef BAD_DESTRUCTOR // whatever the host ended with
__attribute__((destructor)) static void ends_the_process(void) { _exit(BAD_DESTRUCTOR); }
#endif

#ifdef BAD_THREAD
static void *crash_later(void *argument) { // when nobody calls
  usleep(20000);
  *(volatile int *)argument = 1;
  return NULL;
}
#endif
#ifdef BAD_SLEEPER
static void *sleep_for_ever(void *argument) {
  pause();
  return argument;
}
#endif
#if defined(BAD_THREAD) || defined(BAD_SLEEPER)
static void start(void *(*run)(void *)) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
}
#endif

#ifndef BAD_NO_SYMBOL
LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
#ifdef BAD_CRASH
  abort();
#endif
#ifdef BAD_HANG
  for (;;)
    usleep(1000);
#endif
#ifdef BAD_HANG_SILENTLY // closes what it was to report on
  for (int i = 3; i < 100; ++i)
    close(i);
  for (;;)
    usleep(1000);
#endif
#ifdef BAD_EXIT
  exit(0);
#endif
#ifdef BAD_FORK // both go on
  fork();
#endif
#ifdef BAD_SIGNAL
  signal(BAD_SIGNAL, SIG_IGN);
#endif
#ifdef BAD_THREAD
  start(crash_later);
#endif
#ifdef BAD_SLEEPER
  start(sleep_for_ever);
#endif
#ifdef BAD_ENDLESS_TEXT
  static char text[1 << 20];
  memset(text, 'x', sizeof text);
  lathe_error *endless = give(LATHE_ERROR_INTERNAL, "");
  endless->message = (lathe_string){text, SIZE_MAX};
  return endless;
#endif
#ifdef BAD_UNOWNED_ERROR
  static lathe_error unowned = {sizeof unowned, LATHE_ERROR_UNAVAILABLE, 0, TEXT("busy"), NULL};
  return &unowned;
#endif
#ifdef BAD_ERROR
  return give(LATHE_ERROR_FAILED_PRECONDITION, "needs a driver of version 7; this one is 5");
#endif
#ifdef BAD_OPTION
  lathe_string mode = args->host->option(args->host->context, (lathe_string)TEXT("mode"));
  if (!mode.data || mode.size != 4 || memcmp(mode.data, "fast", 4) != 0)
    return give(LATHE_ERROR_INVALID_ARGUMENT, "option mode must be fast");
#endif
#ifndef BAD_NO_PLUGIN
  args->plugin = &plugin;
#endif
  return NULL;
}
#endif
