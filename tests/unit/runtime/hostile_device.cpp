// What the runtime does with a device whose table, answers or errors are not what they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/device/device.h"
#include "runtime/device/error.h"
#include "tests/unit/runtime/lazy_queue.h"
#include "tests/unit/runtime/toy_device.h"

namespace lathe::runtime {
namespace {

using testing::HasSubstr;
using Verdict = Compatibility::Verdict;

absl::StatusOr<std::shared_ptr<Device>> wrapToy(lathe_device &toy,
                                                const lathe_device_api &table = toyTable()) {
  auto checked = DeviceTable::of(&table);
  return checked.ok() ? Device::wrap(*checked, &toy) : checked.status();
}

std::string messageOf(const absl::Status &status) { return std::string(status.message()); }

TEST(TextOfTheOtherSide, isUtf8ThatMovesNoCursor) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"plain\n\ttext", "plain\n\ttext"},
      {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82"},
      {"\x1b[2J\r\x7f", "?[2J??"},
      {"cut \xe2\x82", "cut ??"},          // before its end
      {"\xc0\xaf", "??"},                  // longer than it need be
      {"\xed\xa0\x80", "???"},             // half of a pair
      {"\xf4\x90\x80\x80 \xff", "???? ?"}, // beyond the last character
      {std::string("a\0b", 3), "a?b"},
  };
  for (const auto &[given, clean] : cases)
    EXPECT_EQ(fromAbi({given.data(), given.size()}), clean);
  EXPECT_EQ(fromAbi({nullptr, 7}), "");
  const std::string longest(70000, 'x');
  EXPECT_EQ(fromAbi({longest.data(), SIZE_MAX}).size(), 65536u);
}

TEST(DeviceTable, isRefusedWhenThereIsNone) {
  EXPECT_THAT(messageOf(DeviceTable::of(nullptr).status()), HasSubstr("gives no table"));
}

TEST(DeviceTable, isRefusedWithoutARequiredEntry) {
  // Of the twelve required entries one at a time.
  for (size_t offset = offsetof(lathe_device_api, device_list);
       offset <= offsetof(lathe_device_api, run); offset += sizeof(void *)) {
    lathe_device_api table = toyTable();
    std::memset(reinterpret_cast<char *>(&table) + offset, 0, sizeof(void *));
    EXPECT_THAT(messageOf(DeviceTable::of(&table).status()), HasSubstr("its table lacks "))
        << offset;
  }
  lathe_device_api table = toyTable();
  table.buffer_map = nullptr;
  EXPECT_EQ(messageOf(DeviceTable::of(&table).status()),
            "device: its table lacks buffer_map, which runtime/abi/plugin.h requires");
}

TEST(DeviceTable, hasAllFunctionsOfQueuesOrNone) {
  for (size_t offset = offsetof(lathe_device_api, queue_create);
       offset <= offsetof(lathe_device_api, queue_error); offset += sizeof(void *)) {
    lathe_device_api table = withQueues(toyTable());
    EXPECT_TRUE(DeviceTable::of(&table).ok());
    std::memset(reinterpret_cast<char *>(&table) + offset, 0, sizeof(void *));
    EXPECT_THAT(messageOf(DeviceTable::of(&table).status()), HasSubstr("all six or none"));
  }
}

TEST(DeviceTable, isReadNoFurtherThanItsSize) {
  for (size_t size = 0; size < offsetof(lathe_device_api, compatibility); size += 4) {
    lathe_device_api table = toyTable();
    table.struct_size = size;
    EXPECT_EQ(DeviceTable::of(&table).status().code(), absl::StatusCode::kFailedPrecondition)
        << size;
  }
  lathe_device toy;
  lathe_device_api table = toyTable();
  table.struct_size = offsetof(lathe_device_api, compatibility); // what is optional lies behind it
  auto device = wrapToy(toy, table);
  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_EQ((*device)->compatibility("arch=toy")->verdict, Verdict::optimal);
}

TEST(DeviceTable, mayBeLonger) {
  struct {
    lathe_device_api known = toyTable();
    void *unknown[4] = {};
  } longer;
  longer.known.struct_size = sizeof longer;
  lathe_device toy;
  EXPECT_TRUE(wrapToy(toy, longer.known).ok());
}

TEST(DeviceTable, listingMoreThanThereCanBeIsNotBelieved) {
  lathe_device_api table = toyTable();
  table.device_list = [](lathe_device_list_args *args) -> lathe_error * {
    args->device_count = 4'000'000'000u;
    return nullptr;
  };
  EXPECT_THAT(messageOf(DeviceTable::of(&table)->count().status()),
              HasSubstr("lists 4000000000 devices; at most 1024 make sense"));
}

TEST(DeviceTable, openingWithoutADeviceIsNotBelieved) {
  lathe_device_api table = toyTable();
  EXPECT_THAT(messageOf(DeviceTable::of(&table)->open(0).status()),
              HasSubstr("reports success but gives no device"));
}

TEST(Device, isClosedOnceWhenItsLastBufferIsGone) {
  lathe_device toy;
  {
    DeviceBuffer buffer;
    {
      auto device = wrapToy(toy);
      ASSERT_TRUE(device.ok());
      buffer = *(*device)->allocate(16, 0);
    }
    EXPECT_EQ(toy.closed, 0);
  }
  EXPECT_EQ(toy.closed, 1);
  EXPECT_EQ(toy.released, 1);
}

TEST(DeviceProperties, mustNameTheDevice) {
  for (auto field : {&lathe_device::name, &lathe_device::kind}) {
    lathe_device toy;
    (toy.*field).clear();
    EXPECT_THAT(messageOf(wrapToy(toy).status()), HasSubstr("no name or no kind"));
  }
}

TEST(DeviceProperties, areCutWhereTheirSizeCannotBeTrue) {
  lathe_device toy;
  toy.name.assign(1'000'000, 'n');
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ((*device)->properties().name.size(), 65536u);
}

TEST(DeviceWithoutOptionalEntries, takesOnlyCodeOfItsOwnCompatibility) {
  lathe_device toy;
  lathe_device_api table = toyTable();
  table.compatibility = nullptr;
  auto device = wrapToy(toy, table);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ((*device)->compatibility("arch=toy")->verdict, Verdict::optimal);
  auto other = (*device)->compatibility("arch=train");
  EXPECT_EQ(other->verdict, Verdict::no);
  EXPECT_EQ(other->reason, "needs arch=train but the device is arch=toy");
}

TEST(DeviceWithoutOptionalEntries, getsMemoryCopiedAndCleared) {
  lathe_device toy;
  lathe_device_api table = toyTable();
  table.buffer_import = nullptr;
  table.buffer_clear = nullptr;
  auto device = wrapToy(toy, table);
  ASSERT_TRUE(device.ok());
  std::vector<uint8_t> memory = {1, 2, 3};
  auto buffer = (*device)->import(memory);
  ASSERT_TRUE(buffer.ok());
  auto bytes = static_cast<char *>(*buffer->map(LATHE_MAP_READ));
  EXPECT_EQ(std::vector<uint8_t>(bytes, bytes + 3), memory);
  ASSERT_TRUE(buffer->clear().ok());
  EXPECT_EQ(std::string(bytes, 3), std::string(3, '\0'));
  EXPECT_TRUE((*device)->import({}).ok());
}

TEST(Device, copiesWhatItCannotImportWhereItLies) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  alignas(16) uint8_t memory[64] = {};
  ASSERT_TRUE((*device)->import({memory, 32}).ok());
  EXPECT_EQ(toy.imported, 1);
  ASSERT_TRUE((*device)->import({memory + 1, 32}).ok());
  EXPECT_EQ(toy.imported, 1);
}

TEST(Device, thatGivesNothingIsNotBelieved) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  DeviceBuffer buffer = *(*device)->allocate(16, 0);
  toy.gives_nothing = true;
  alignas(16) uint8_t memory[16] = {};
  EXPECT_THAT(messageOf((*device)->allocate(16, 0).status()),
              HasSubstr("reports success but gives no buffer"));
  EXPECT_THAT(messageOf((*device)->import(memory).status()), HasSubstr("gives no buffer"));
  EXPECT_THAT(messageOf((*device)->load(memory, "arch=toy").status()),
              HasSubstr("gives no executable"));
  EXPECT_THAT(messageOf(buffer.map(LATHE_MAP_READ).status()), HasSubstr("gives no address"));
}

TEST(DeviceCompatibility, isNoForAVerdictWithoutMeaning) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ((*device)->compatibility("x")->verdict, Verdict::usable);
  toy.verdict = 77;
  EXPECT_EQ((*device)->compatibility("x")->verdict, Verdict::no);
}

TEST(DeviceCompatibility, cutsALongReason) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  toy.reason.assign(5000, 'r');
  EXPECT_EQ((*device)->compatibility("x")->reason, std::string(1024, 'r'));
}

// An error as a device of another maker gives it.
struct ToyError : lathe_error {
  ToyError(lathe_device &toy, uint32_t code, lathe_string message) : toy(&toy) {
    struct_size = sizeof(lathe_error);
    this->code = code;
    reserved = 0;
    this->message = message;
    release = [](lathe_error *error) { ++static_cast<ToyError *>(error)->toy->errors_released; };
  }
  lathe_device *toy;
};

TEST(DeviceError, becomesAStatusAndIsReleased) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  std::string text = "toy: is full";
  ToyError error(toy, LATHE_ERROR_RESOURCE_EXHAUSTED, textOf(text));
  toy.next_error = &error;
  absl::Status status = (*device)->run(Executable(), 0, {}, 1, 1);
  EXPECT_EQ(status, absl::ResourceExhaustedError("toy: is full"));
  EXPECT_EQ(toy.errors_released, 1);
}

TEST(DeviceError, ofACodeThatIsNotOfTheBorderIsInternal) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  for (uint32_t code : {0u, 1u, 2u, 4u, 10u, 11u, 16u, 17u, ~0u}) { // 1 would be CANCELLED: a stop
    ToyError error(toy, code, {nullptr, 0});
    toy.next_error = &error;
    EXPECT_EQ((*device)->run(Executable(), 0, {}, 1, 1).code(), absl::StatusCode::kInternal)
        << code;
  }
}

TEST(DeviceError, mayLackTextAndRelease) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  ToyError error(toy, LATHE_ERROR_UNAVAILABLE, {nullptr, 1000});
  error.release = nullptr;
  toy.next_error = &error;
  EXPECT_EQ((*device)->run(Executable(), 0, {}, 1, 1), absl::UnavailableError(""));
}

TEST(DeviceError, isReadNoFurtherThanItsSize) {
  lathe_device toy;
  auto device = wrapToy(toy);
  ASSERT_TRUE(device.ok());
  std::string text = "never read";
  ToyError error(toy, LATHE_ERROR_UNAVAILABLE, textOf(text));
  for (size_t size : {size_t{0}, offsetof(lathe_error, message)}) {
    error.struct_size = size;
    toy.next_error = &error;
    EXPECT_EQ((*device)->run(Executable(), 0, {}, 1, 1).message(), "");
    EXPECT_EQ(toy.errors_released, 0);
  }
}

TEST(DeviceError, inPropertiesRefusesTheDevice) {
  lathe_device toy;
  std::string text = "toy: is asleep";
  ToyError error(toy, LATHE_ERROR_UNAVAILABLE, textOf(text));
  toy.next_error = &error;
  EXPECT_EQ(wrapToy(toy).status(), absl::UnavailableError("toy: is asleep"));
  EXPECT_EQ(toy.closed, 1);
}

} // namespace
} // namespace lathe::runtime
