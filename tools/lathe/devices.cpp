// `lathe devices`: what models can run on, and what they can be compiled for.
#include "absl/strings/str_cat.h"

#include "base/json.h"
#include "base/status.h"
#include "runtime/cpu/device.h"
#include "tools/lathe/console.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/table.h"
#include "tools/lathe/units.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

// What a plugin says of a thing in JSON; nothing where that is no object.
Json detailsOf(const std::string &text) {
  if (text.empty())
    return Json::object();
  auto parsed = parseJson(text, "details");
  return parsed.ok() && parsed->is_object() ? Json(*parsed) : Json::object();
}

// {"l1": {"bytes": 5}} as the rows "l1.bytes 5".
void addDetails(const Json &details, const std::string &prefix, Rows &rows) {
  for (const auto &[name, value] : details.items()) {
    if (value.is_object())
      addDetails(value, prefix + name + ".", rows);
    else
      rows.push_back(
          {prefix + name, value.is_string()
                              ? value.get<std::string>()
                              : value.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }
}

std::string memoryText(uint64_t bytes) { return bytes == 0 ? "unknown" : bytesText(bytes); }

Json json(const std::string &name, const runtime::DeviceProperties &device) {
  return {{"device", name},
          {"virtual", false},
          {"name", device.name},
          {"kind", device.kind},
          {"simulated", device.simulated},
          {"level", device.level},
          {"compatibility", device.compatibility},
          {"threads", device.parallelism},
          {"memory_bytes", device.memory_bytes},
          {"details", detailsOf(device.details)}};
}

std::string text(const std::string &name, const runtime::DeviceProperties &device) {
  Rows rows = {{"name", device.name},
               {"kind", absl::StrCat(device.kind, device.simulated ? " (simulated)" : "")},
               {"level", device.level},
               {"threads", absl::StrCat(device.parallelism)},
               {"memory", memoryText(device.memory_bytes)},
               {"properties", device.compatibility}};
  addDetails(detailsOf(device.details), "", rows);
  return absl::StrCat(name, "\n", formatTable(rows));
}

Json json(const std::string &name, const runtime::TargetProperties &target) {
  return {{"device", name},
          {"virtual", true},
          {"description", target.description},
          {"compatibility", target.compatibility},
          {"memory_bytes", target.memory_bytes},
          {"details", detailsOf(target.details)}};
}

std::string text(const std::string &name, const runtime::TargetProperties &target) {
  Rows rows = {{"description", target.description},
               {"kind", "virtual: a target to compile for"},
               {"memory", memoryText(target.memory_bytes)},
               {"properties", target.compatibility}};
  addDetails(detailsOf(target.details), "", rows);
  return absl::StrCat(name, "\n", formatTable(rows));
}

// Both forms of the list, as it grows.
struct Listing {
  Json objects = Json::array();
  std::string texts;

  template <typename Properties> void add(const std::string &name, const Properties &properties) {
    objects.push_back(json(name, properties));
    absl::StrAppend(&texts, texts.empty() ? "" : "\n", text(name, properties));
  }
};

absl::Status addPlugin(runtime::Plugin &plugin, Listing &listing) {
  for (uint32_t i = 0; i < plugin.deviceCount(); ++i) {
    LATHE_ASSIGN_OR_RETURN(auto device, plugin.openDevice(i));
    listing.add(absl::StrCat(plugin.name(), ":", i), device->properties());
  }
  for (const runtime::TargetProperties &target : plugin.targets())
    listing.add(absl::StrCat(plugin.name(), ":", target.name), target);
  return absl::OkStatus();
}

Json json(const runtime::Plugin &plugin) {
  return {{"name", plugin.name()},
          {"version", plugin.version()},
          {"description", plugin.description()},
          {"path", plugin.path()}};
}

absl::Status run(const std::vector<std::string> &plugin_flags, bool as_json) {
  LATHE_ASSIGN_OR_RETURN(Plugins plugins, loadPlugins(plugin_flags));
  LATHE_ASSIGN_OR_RETURN(auto cpu, runtime::createCpuDevice());
  Listing listing;
  listing.add(kCpuDevice, cpu->properties());
  Json about = Json::array();
  for (const auto &plugin : plugins) {
    LATHE_RETURN_IF_ERROR(addPlugin(*plugin, listing));
    about.push_back(json(*plugin));
  }
  if (as_json)
    printJson({{"devices", listing.objects}, {"plugins", about}});
  else
    print(listing.texts);
  return absl::OkStatus();
}

Action declare(CLI::App &app) {
  auto as_json = std::make_shared<bool>(false);
  auto plugins = std::make_shared<std::vector<std::string>>();
  addPluginFlag(app, *plugins);
  addSwitch(app, "--json", *as_json, "one object");
  return [=] { return run(*plugins, *as_json); };
}

} // namespace

const Verb kDevices = {"devices", "", "devices, real and virtual, with their properties",
                       "lathe devices", declare};

} // namespace lathe::cli
