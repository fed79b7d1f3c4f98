// Rules of lathe_plugin_entry: hosts of other ages.
#include <cstring>
#include <dlfcn.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "runtime/device/error.h"
#include "tests/conformance/lint/lint.h"

namespace lathe::conformance {
namespace {

// A host whose struct has `size` bytes and bytes of no meaning behind them.
struct Host {
  alignas(16) uint8_t bytes[sizeof(lathe_host) + 64];

  explicit Host(size_t size) {
    std::memset(bytes, 0xcd, sizeof bytes);
    lathe_host host = {};
    host.struct_size = size;
    host.abi_major = LATHE_ABI_MAJOR;
    host.abi_minor = LATHE_ABI_MINOR;
    host.name = runtime::toAbi("lathe");
    host.version = runtime::toAbi("0.0.0");
    std::memcpy(bytes, &host, std::min(size, sizeof host));
  }
  lathe_host *abi() { return reinterpret_cast<lathe_host *>(bytes); }
};

absl::StatusOr<lathe_plugin_entry_fn> entryOf(const TargetOptions &options) {
  void *library = dlopen(options.plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return absl::FailedPreconditionError(absl::StrCat("cannot be loaded: ", dlerror()));
  auto entry = reinterpret_cast<lathe_plugin_entry_fn>(dlsym(library, LATHE_PLUGIN_SYMBOL));
  if (!entry)
    return absl::FailedPreconditionError("exports no " LATHE_PLUGIN_SYMBOL);
  return entry;
}

// The plugin, as a host with this struct gets it.
absl::StatusOr<const lathe_plugin *> enter(const TargetOptions &options, Host &host) {
  LATHE_ASSIGN_OR_RETURN(lathe_plugin_entry_fn entry, entryOf(options));
  lathe_plugin_entry_args args = {};
  args.struct_size = sizeof args;
  args.host = host.abi();
  LATHE_RETURN_IF_ERROR(runtime::takeError(entry(&args)));
  if (!args.plugin)
    return absl::InternalError("reports success but gives no plugin");
  return args.plugin;
}

absl::Status refusesMajor(const TargetOptions &options, uint32_t major) {
  Host host(sizeof(lathe_host));
  host.abi()->abi_major = major;
  LATHE_ASSIGN_OR_RETURN(lathe_plugin_entry_fn entry, entryOf(options));
  lathe_plugin_entry_args args = {};
  args.struct_size = sizeof args;
  args.host = host.abi();
  const absl::Status refused = runtime::takeError(entry(&args));
  if (refused.code() != absl::StatusCode::kFailedPrecondition)
    return absl::InternalError(absl::StrCat("a host of abi ", major, ".0 gets ",
                                            absl::StatusCodeToString(refused.code()),
                                            " instead of FAILED_PRECONDITION"));
  const std::string message(refused.message());
  if (!absl::StrContains(message, absl::StrCat(major, ".")) ||
      !absl::StrContains(message, absl::StrCat(LATHE_ABI_MAJOR, ".")))
    return absl::InternalError(
        absl::StrCat("the refusal does not name both versions: '", message, "'"));
  return absl::OkStatus();
}

absl::Status saysWhoItIs(const TargetOptions &options) {
  Host host(sizeof(lathe_host));
  LATHE_ASSIGN_OR_RETURN(const lathe_plugin *plugin, enter(options, host));
  if (plugin->struct_size < offsetof(lathe_plugin, unload) + sizeof plugin->unload)
    return absl::InternalError(absl::StrCat("its lathe_plugin has ", plugin->struct_size,
                                            " bytes; abi 1.0 has ", sizeof(lathe_plugin)));
  if (plugin->abi_major != LATHE_ABI_MAJOR)
    return absl::InternalError(absl::StrCat("it is of abi ", plugin->abi_major));
  if (plugin->name.size == 0 || plugin->version.size == 0 || plugin->description.size == 0)
    return absl::InternalError("it lacks a name, a version or a description");
  if (!plugin->devices && !plugin->compiler)
    return absl::InternalError("it has neither a device half nor a compile half");
  return absl::OkStatus();
}

absl::Status checkTarget(const lathe_target &target) {
  constexpr uint32_t kKnown = LATHE_TAKES_OPS | LATHE_TAKES_PARTITIONS | LATHE_TAKES_TILES;
  const std::string name = runtime::fromAbi(target.name);
  if (!(target.takes & kKnown))
    return absl::InternalError(absl::StrCat("its target '", name, "' takes nothing: ", target.takes,
                                            " has no bit of LATHE_TAKES_*"));
  if (!(target.takes & LATHE_TAKES_TILES))
    return absl::OkStatus();
  if (!LATHE_HAS_FIELD(lathe_target, &target, tile_columns))
    return absl::InternalError(absl::StrCat("its target '", name,
                                            "' takes tiles, which came with abi 1.1, in a struct "
                                            "of ",
                                            target.struct_size, " bytes"));
  const auto is_tile = [](int64_t size) { return size >= 0 && size <= LATHE_MAX_TILE; };
  return is_tile(target.tile_rows) && is_tile(target.tile_columns)
             ? absl::OkStatus()
             : absl::InternalError(absl::StrCat("its target '", name, "' has tiles of ",
                                                target.tile_rows, " x ", target.tile_columns));
}

absl::Status saysWhatItTakes(const TargetOptions &options) {
  Host host(sizeof(lathe_host));
  LATHE_ASSIGN_OR_RETURN(const lathe_plugin *plugin, enter(options, host));
  if (!plugin->compiler)
    return absl::UnimplementedError("it has no compile half");
  lathe_target_list_args args = {};
  args.struct_size = sizeof args;
  LATHE_RETURN_IF_ERROR(runtime::takeError(plugin->compiler->target_list(&args)));
  for (size_t i = 0; i < args.target_count; ++i)
    LATHE_RETURN_IF_ERROR(checkTarget(*args.targets[i]));
  return absl::OkStatus();
}

// The last field that every host of abi 1.0 has for sure in common is `version`.
absl::Status takesAnOlderHost(const TargetOptions &options) {
  Host host(offsetof(lathe_host, context));
  LATHE_ASSIGN_OR_RETURN(const lathe_plugin *plugin, enter(options, host));
  lathe_device_list_args args = {};
  args.struct_size = sizeof args;
  return plugin->devices ? runtime::takeError(plugin->devices->device_list(&args))
                         : absl::OkStatus();
}

absl::Status takesANewerHost(const TargetOptions &options) {
  Host host(sizeof(lathe_host) + 64);
  host.abi()->abi_minor = LATHE_ABI_MINOR + 7;
  LATHE_ASSIGN_OR_RETURN(const lathe_plugin *plugin, enter(options, host));
  if (plugin->compiler) {
    lathe_target_list_args args = {};
    args.struct_size = sizeof args;
    LATHE_RETURN_IF_ERROR(runtime::takeError(plugin->compiler->target_list(&args)));
  }
  if (plugin->unload)
    plugin->unload();
  return absl::OkStatus();
}

} // namespace

std::vector<Rule> entryRules() {
  return {
      {"says_who_it_is", "name, version, description, one half or both", saysWhoItIs},
      {"says_what_it_takes", "a target takes ops, partitions or tiles of sizes that make sense",
       saysWhatItTakes},
      {"refuses_an_older_major", "FAILED_PRECONDITION with both versions in the message",
       [](const TargetOptions &options) { return refusesMajor(options, LATHE_ABI_MAJOR - 1); }},
      {"refuses_a_newer_major", "FAILED_PRECONDITION with both versions in the message",
       [](const TargetOptions &options) { return refusesMajor(options, LATHE_ABI_MAJOR + 1); }},
      {"takes_an_older_host", "what lies past struct_size counts as NULL", takesAnOlderHost},
      {"takes_a_newer_host", "another minor is fine, longer structs are, too", takesANewerHost}};
}

} // namespace lathe::conformance
