// Rules of the device half: what misuse is answered with, and what memory does.
#include <cstring>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "runtime/device/error.h"
#include "runtime/plugin/plugin.h"
#include "tests/conformance/lint/lint.h"
#include "tests/conformance/lint/opened.h"

namespace lathe::conformance {
namespace {

absl::Status expectCode(lathe_error *error, uint32_t code, const std::string &what) {
  if (!error)
    return absl::InternalError(absl::StrCat(what, " succeeds"));
  if (!error->release || error->message.size == 0)
    return absl::InternalError(absl::StrCat(what, ": the error has no message, or no release"));
  const uint32_t got = error->code;
  const absl::Status status = runtime::takeError(error);
  return got == code
             ? absl::OkStatus()
             : absl::InternalError(absl::StrCat(what, " gives the code ", got, " instead of ", code,
                                                ": ", std::string(status.message())));
}

template <typename Args> Args sized() {
  Args args = {};
  args.struct_size = sizeof args;
  return args;
}

absl::Status refusesUnknownDevices(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  auto args = sized<lathe_device_open_args>();
  args.index = opened.device_count + 17;
  return expectCode(opened.api->device_open(&args), LATHE_ERROR_INVALID_ARGUMENT,
                    "a device that was not listed");
}

absl::Status refusesWrongAlignments(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  auto args = sized<lathe_buffer_allocate_args>();
  args.device = opened.device;
  args.size = 64;
  args.alignment = 3;
  return expectCode(opened.api->buffer_allocate(&args), LATHE_ERROR_INVALID_ARGUMENT,
                    "an alignment of 3");
}

absl::Status refusesTooMuchMemory(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  auto args = sized<lathe_buffer_allocate_args>();
  args.device = opened.device;
  args.size = uint64_t{1} << 62;
  args.alignment = 64;
  return expectCode(opened.api->buffer_allocate(&args), LATHE_ERROR_RESOURCE_EXHAUSTED,
                    "2^62 bytes of memory");
}

absl::Status refusesForeignCode(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  for (size_t size : {size_t{0}, size_t{1}, size_t{64}, size_t{5000}}) {
    std::vector<uint8_t> code(size + 1, 0x5a);
    auto args = sized<lathe_executable_load_args>();
    args.device = opened.device;
    args.code = code.data();
    args.size = size;
    args.compatibility = runtime::toAbi(opened.compatibility);
    lathe_error *error = opened.api->executable_load(&args);
    const bool is_precondition = error && error->code == LATHE_ERROR_FAILED_PRECONDITION;
    LATHE_RETURN_IF_ERROR(expectCode(
        error, is_precondition ? LATHE_ERROR_FAILED_PRECONDITION : LATHE_ERROR_INVALID_ARGUMENT,
        absl::StrCat(size, " bytes that are no code")));
  }
  return absl::OkStatus();
}

absl::Status releasesNothing(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  auto buffer = sized<lathe_buffer_args>();
  buffer.device = opened.device;
  LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->buffer_release(&buffer)));
  auto executable = sized<lathe_executable_args>();
  executable.device = opened.device;
  return runtime::takeError(opened.api->executable_release(&executable));
}

absl::Status clearsMemory(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  for (uint64_t size : {uint64_t{1}, uint64_t{100}, uint64_t{1} << 20}) {
    auto args = sized<lathe_buffer_allocate_args>();
    args.device = opened.device;
    args.size = size;
    args.alignment = 4096;
    args.flags = LATHE_BUFFER_ZEROED;
    LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->buffer_allocate(&args)));
    auto map = sized<lathe_buffer_map_args>();
    map.device = opened.device;
    map.buffer = args.buffer;
    map.access = LATHE_MAP_READ | LATHE_MAP_WRITE;
    LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->buffer_map(&map)));
    auto *bytes = static_cast<uint8_t *>(map.memory);
    for (uint64_t i = 0; i < size; ++i)
      if (bytes[i] != 0)
        return absl::InternalError(absl::StrCat("byte ", i, " of zeroed memory is ", bytes[i]));
    std::memset(bytes, 0x77, size); // the next allocation may get it again
    auto done = sized<lathe_buffer_args>();
    done.device = opened.device;
    done.buffer = args.buffer;
    LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->buffer_unmap(&done)));
    LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->buffer_release(&done)));
  }
  return absl::OkStatus();
}

absl::Status allocatesNothing(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  auto args = sized<lathe_buffer_allocate_args>();
  args.device = opened.device;
  args.alignment = 64;
  LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->buffer_allocate(&args)));
  auto done = sized<lathe_buffer_args>();
  done.device = opened.device;
  done.buffer = args.buffer;
  return runtime::takeError(opened.api->buffer_release(&done));
}

// A host of an age in which the struct ended earlier.
absl::Status writesNoFurther(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  lathe_device_properties properties;
  std::memset(static_cast<void *>(&properties), 0xcd, sizeof properties);
  properties.struct_size = offsetof(lathe_device_properties, details);
  auto args = sized<lathe_device_properties_args>();
  args.device = opened.device;
  args.properties = &properties;
  LATHE_RETURN_IF_ERROR(runtime::takeError(opened.api->properties(&args)));
  const auto *bytes = reinterpret_cast<const uint8_t *>(&properties);
  for (size_t i = offsetof(lathe_device_properties, details); i < sizeof properties; ++i)
    if (bytes[i] != 0xcd)
      return absl::InternalError(absl::StrCat("it writes byte ", i,
                                              " of properties that have struct_size ",
                                              offsetof(lathe_device_properties, details)));
  return properties.struct_size == offsetof(lathe_device_properties, details)
             ? absl::OkStatus()
             : absl::InternalError("it changes the caller's struct_size");
}

absl::Status hasAllQueueFunctions(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Opened opened, Opened::open(options));
  const runtime::DeviceTable &api = opened.api;
  const int count = !!api->queue_create + !!api->queue_release + !!api->event_create +
                    !!api->event_release + !!api->event_wait + !!api->queue_error;
  return count == 0 || count == 6
             ? absl::OkStatus()
             : absl::InternalError(absl::StrCat("it has ", count, " of the six functions"));
}

} // namespace

std::vector<Rule> deviceRules() {
  return {{"refuses_unknown_devices", "INVALID_ARGUMENT: an index that was not listed",
           refusesUnknownDevices},
          {"refuses_wrong_alignments", "INVALID_ARGUMENT: an alignment it cannot give",
           refusesWrongAlignments},
          {"refuses_too_much_memory", "RESOURCE_EXHAUSTED: no block of so many bytes",
           refusesTooMuchMemory},
          {"refuses_foreign_code", "INVALID_ARGUMENT: not code of this device", refusesForeignCode},
          {"releases_nothing", "releasing NULL is fine", releasesNothing},
          {"allocates_nothing", "a size of 0 is allowed", allocatesNothing},
          {"clears_memory", "memory with LATHE_BUFFER_ZEROED reads as zero", clearsMemory},
          {"writes_no_further", "no byte is set past the caller's struct_size", writesNoFurther},
          {"has_all_queue_functions", "queues and events: all six or none", hasAllQueueFunctions}};
}

} // namespace lathe::conformance
