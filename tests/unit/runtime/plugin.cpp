// Plugins that do what they should, and each way in which one does not.
#include "runtime/plugin/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string pathOf(const std::string &name) { return LATHE_BAD_PLUGINS "/" + name + ".so"; }

std::string errorOf(const std::string &name, const PluginOptions &options = {}) {
  ProbeOptions probe;
  probe.limit = absl::Milliseconds(1500);
  auto plugin = loadPlugin(pathOf(name), options, probe);
  return plugin.ok() ? "" : std::string(plugin.status().message());
}

TEST(Plugin, saysWhatItIsAndListsDevicesAndTargets) {
  auto plugin = loadPlugin(pathOf("bad_nothing"));
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  EXPECT_EQ((*plugin)->name(), "bad");
  EXPECT_EQ((*plugin)->version(), "0.3.1");
  EXPECT_EQ((*plugin)->description(), "a plugin of a test");
  EXPECT_EQ((*plugin)->deviceCount(), 2u);
  ASSERT_EQ((*plugin)->targets().size(), 2u);
  EXPECT_EQ((*plugin)->targets()[0].name, "bad-1");
  EXPECT_EQ((*plugin)->targets()[0].description, "half of a chip");
  EXPECT_EQ((*plugin)->targets()[1].takes, LATHE_TAKES_PARTITIONS);
  EXPECT_NE((*plugin)->compiler(), nullptr);
}

TEST(Plugin, staysLoadedAsLongAsADeviceOfItIsOpen) {
  std::shared_ptr<Device> device;
  {
    auto plugin = Plugin::load(pathOf("bad_nothing"));
    ASSERT_TRUE(plugin.ok()) << plugin.status();
    device = *(*plugin)->openDevice(1);
  }
  EXPECT_EQ(device->properties().parallelism, 4u);
  EXPECT_EQ(device->properties().level, "bad:bad-2"); // as users write it
  EXPECT_TRUE(device->properties().simulated);
  EXPECT_EQ(device->properties().details, "{\"cores\": 3}");
  EXPECT_THAT(device->allocate(8, 0).status().message(), HasSubstr("bad: does nothing"));
}

TEST(Plugin, isEnteredOnceHoweverOftenItIsLoaded) {
  auto first = Plugin::load(pathOf("bad_option"), {.options = {{"mode", "fast"}}});
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = Plugin::load(pathOf("../bad/bad_option"), {.options = {{"mode", "fast"}}});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(*first, *second);
  EXPECT_THAT(
      Plugin::load(pathOf("bad_option"), {.options = {{"mode", "slow"}}}).status().message(),
      HasSubstr("is in use already, with other options"));
}

TEST(Plugin, canBeLoadedAgainWhenNobodyUsesItAnyMore) {
  for (const char *mode : {"fast", "slow", "fast"})
    EXPECT_EQ(Plugin::load(pathOf("bad_option"), {.options = {{"mode", mode}}}).ok(),
              std::string(mode) == "fast");
}

TEST(Plugin, hasNoDeviceBeyondThoseListed) {
  auto plugin = Plugin::load(pathOf("bad_nothing"));
  ASSERT_TRUE(plugin.ok());
  EXPECT_THAT((*plugin)->openDevice(2).status().message(),
              AllOf(HasSubstr("device bad:2"), HasSubstr("it has 2 devices")));
}

TEST(Plugin, canAskForItsOptions) {
  EXPECT_EQ(errorOf("bad_option", {.options = {{"mode", "fast"}}}), "");
  EXPECT_THAT(errorOf("bad_option", {.options = {{"mode", "slow"}}}),
              HasSubstr("option mode must be fast"));
}

TEST(Plugin, thatIsNoFileIsRefused) {
  EXPECT_THAT(errorOf("bad_absent"), HasSubstr("bad_absent.so: there is no such file"));
  EXPECT_THAT(loadPlugin("/").status().message(), HasSubstr("there is no such file"));
}

TEST(Plugin, thatIsNoLibraryIsRefused) {
  EXPECT_THAT(loadPlugin(LATHE_SOURCE_DIR "/README.md").status().message(),
              HasSubstr("README.md: cannot be loaded: "));
}

// Name of the plugin, and what the error must say.
struct Wrong {
  const char *name, *message;
};

class WrongPlugin : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPlugin, becomesOneError) {
  EXPECT_THAT(errorOf(GetParam().name),
              AllOf(HasSubstr(GetParam().name), HasSubstr(GetParam().message)));
}

TEST(Plugin, isNotQuotedForEver) { EXPECT_LT(errorOf("bad_endless_text").size(), 5000u); }

INSTANTIATE_TEST_SUITE_P(
    All, WrongPlugin,
    testing::Values(
        Wrong{"bad_no_symbol", "exports no lathe_plugin_entry, so it is no plugin of Lathe"},
        Wrong{"bad_no_plugin", "reports success but gives no plugin"},
        Wrong{"bad_size", "its lathe_plugin has 8 bytes, which hold no version"},
        Wrong{"bad_cut_name", "its name is ''"},
        Wrong{"bad_future", "built for abi 2.7, this runtime has 1.2; rebuild it with"},
        Wrong{"bad_past", "built for abi 0.7, this runtime has 1.2"},
        Wrong{"bad_name", "its name is 'a b\\n'; letters, digits"},
        Wrong{"bad_features", "is built with a sanitizer and this program is not"},
        Wrong{"bad_no_halves", "has neither a device half nor a compile half"},
        Wrong{"bad_no_run", "its table lacks run, which runtime/abi/plugin.h requires"},
        Wrong{"bad_table_size", "its table lacks device_list"},
        Wrong{"bad_no_compile", "its compile half lacks target_list, supports or compile"},
        Wrong{"bad_device_count", "lists 4000000000 devices"},
        Wrong{"bad_target_count", "lists 4000000000 targets; at most 1024 make sense"},
        Wrong{"bad_null_target", "its target 1 is NULL"},
        Wrong{"bad_target", "its target 1 has the name ''"},
        Wrong{"bad_tile", "its target bad-2 has tiles of 4097 x 64; 1 to 4096 make sense"},
        Wrong{"bad_error", "needs a driver of version 7; this one is 5"},
        Wrong{"bad_error_in_open", "the chip is gone"}, Wrong{"bad_crash", "crashed (Aborted)"},
        Wrong{"bad_crash_in_open", "crashed (Aborted)"},
        Wrong{"bad_hang", "did not answer within 1.5s"},
        Wrong{"bad_hang_silently", "did not answer within 1.5s"},
        Wrong{"bad_exit", "ended the process with status 0"},
        Wrong{"bad_constructor", "ended the process with status 3"},
        Wrong{"bad_destructor", "ended the process with status 7"},
        Wrong{"bad_fork", "forks, and the copy of the process goes on as if it were the host"},
        Wrong{"bad_signal", "changes what the process does at a signal (Interrupt)"},
        // How it ends is the sanitizer's business where there is one.
        Wrong{"bad_thread", "when it was tried in a process of its own; it is not loaded"},
        Wrong{"bad_endless_text", ": xxxx"}, Wrong{"bad_unowned_error", "busy"}),
    [](const auto &info) { return std::string(info.param.name); });

TEST(Probe, saysWhichHelperCannotBeStarted) {
  ProbeOptions probe;
  probe.helper = "/nowhere/lathe-probe";
  EXPECT_THAT(probePlugin(pathOf("bad_nothing"), {}, probe).message(),
              HasSubstr("probe: cannot start /nowhere/lathe-probe: No such file"));
}

} // namespace
} // namespace lathe::runtime
