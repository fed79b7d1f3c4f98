// Order in time: queues, events, copies. The first device behind the border that has them.
#include <atomic>
#include <chrono>
#include <dlfcn.h>
#include <thread>

#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

template <typename Args> Args argsOf(lathe_device *device) {
  Args args = {};
  args.struct_size = sizeof args;
  args.device = device;
  return args;
}

absl::Status statusOf(lathe_error *error) { return runtime::takeError(error); }

// The table itself, entered by a host without threads, with owners around its handles.
class OnednnQueues : public OnednnTest {
protected:
  OnednnQueues() : library_(dlopen(LATHE_ONEDNN_PLUGIN, RTLD_NOW | RTLD_LOCAL)) {
    lathe_host host = {};
    host.struct_size = sizeof host;
    host.abi_major = LATHE_ABI_MAJOR;
    lathe_plugin_entry_args entered = {sizeof entered, nullptr, &host, nullptr};
    auto entry = reinterpret_cast<lathe_plugin_entry_fn>(dlsym(library_, LATHE_PLUGIN_SYMBOL));
    EXPECT_EQ(entry(&entered), nullptr);
    api_ = entered.plugin->devices;
    lathe_device_open_args args = {};
    args.struct_size = sizeof args;
    EXPECT_TRUE(statusOf(api_->device_open(&args)).ok());
    device_ = args.device;
  }
  ~OnednnQueues() override {
    for (lathe_queue *queue : queues_)
      release(queue);
    for (lathe_event *event : events_)
      callWith<lathe_event_args>(api_->event_release, [&](auto &args) {
        args.event = event;
      }).IgnoreError();
    for (lathe_buffer *buffer : buffers_)
      callWith<lathe_buffer_args>(api_->buffer_release, [&](auto &args) {
        args.buffer = buffer;
      }).IgnoreError();
    callWith<lathe_device_args>(api_->device_close, [](auto &) {}).IgnoreError();
    dlclose(library_);
  }

  template <typename Args, typename Set>
  absl::Status callWith(lathe_error *(*function)(Args *), Set set) {
    auto args = argsOf<Args>(device_);
    set(args);
    return statusOf(function(&args));
  }

  lathe_queue *queue() {
    auto args = argsOf<lathe_queue_create_args>(device_);
    EXPECT_TRUE(statusOf(api_->queue_create(&args)).ok());
    queues_.push_back(args.queue);
    return args.queue;
  }
  void release(lathe_queue *queue) {
    EXPECT_TRUE(callWith<lathe_queue_args>(api_->queue_release, [&](auto &args) {
                  args.queue = queue;
                }).ok());
  }
  absl::Status errorOf(lathe_queue *queue) {
    return callWith<lathe_queue_args>(api_->queue_error, [&](auto &args) { args.queue = queue; });
  }
  lathe_event *event(uint64_t value = 0) {
    auto args = argsOf<lathe_event_create_args>(device_);
    args.value = value;
    EXPECT_TRUE(statusOf(api_->event_create(&args)).ok());
    events_.push_back(args.event);
    return args.event;
  }
  // The counter, when it has reached the value or the time is over.
  uint64_t wait(lathe_event *event, uint64_t value, double timeout = -1) {
    auto args = argsOf<lathe_event_wait_args>(device_);
    args.event = event;
    args.value = value;
    args.timeout = timeout;
    EXPECT_TRUE(statusOf(api_->event_wait(&args)).ok());
    return args.reached;
  }
  lathe_buffer *buffer(uint64_t size) {
    auto args = argsOf<lathe_buffer_allocate_args>(device_);
    args.size = size;
    args.alignment = 64;
    args.flags = LATHE_BUFFER_ZEROED;
    EXPECT_TRUE(statusOf(api_->buffer_allocate(&args)).ok());
    buffers_.push_back(args.buffer);
    return args.buffer;
  }

  absl::Status copy(lathe_binding part, void *host, uint32_t direction, const lathe_order &order) {
    return callWith<lathe_copy_args>(api_->copy, [&](auto &args) {
      args.device_part = part;
      args.host_memory = host;
      args.direction = direction;
      args.order = order;
    });
  }
  // A copy of nothing: how a host sets an event, or waits.
  absl::Status mark(const lathe_order &order) {
    return copy({}, nullptr, LATHE_COPY_TO_HOST, order);
  }

  void *library_;
  const lathe_device_api *api_ = nullptr;
  lathe_device *device_ = nullptr;
  std::vector<lathe_queue *> queues_;
  std::vector<lathe_event *> events_;
  std::vector<lathe_buffer *> buffers_;
};

TEST_F(OnednnQueues, copiesToAndFro) {
  lathe_buffer *memory = buffer(256);
  std::vector<uint8_t> there(64), back(64);
  for (size_t i = 0; i < there.size(); ++i)
    there[i] = static_cast<uint8_t>(i);
  ASSERT_TRUE(copy({memory, 128, 64}, there.data(), LATHE_COPY_TO_DEVICE, {}).ok());
  ASSERT_TRUE(copy({memory, 128, 64}, back.data(), LATHE_COPY_TO_HOST, {}).ok());
  EXPECT_EQ(back, there);
  ASSERT_TRUE(copy({memory, 64, 64}, back.data(), LATHE_COPY_TO_HOST, {}).ok());
  EXPECT_EQ(back, std::vector<uint8_t>(64));
  for (lathe_binding part :
       {lathe_binding{memory, 192, 65}, lathe_binding{memory, 320, 0},
        lathe_binding{memory, ~uint64_t{63}, 128}, lathe_binding{nullptr, 0, 1}})
    EXPECT_THAT(copy(part, back.data(), LATHE_COPY_TO_HOST, {}).message(),
                HasSubstr("of a buffer of"));
}

TEST_F(OnednnQueues, givesACounterThatOnlyRises) {
  lathe_event *counter = event(5);
  EXPECT_EQ(wait(counter, 5), 5u);
  EXPECT_EQ(wait(counter, 6, 0), 5u) << "only looks";
  EXPECT_EQ(wait(counter, 6, 0.01), 5u) << "the time is over";
  ASSERT_TRUE(mark({nullptr, nullptr, 0, {counter, 9}}).ok());
  EXPECT_EQ(wait(counter, 6), 9u);
  ASSERT_TRUE(mark({nullptr, nullptr, 0, {counter, 7}}).ok());
  EXPECT_EQ(wait(counter, 0), 9u);
}

TEST_F(OnednnQueues, waitsLongerThanNow) {
  lathe_event *counter = event();
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(mark({nullptr, nullptr, 0, {counter, 1}}).ok());
  });
  EXPECT_EQ(wait(counter, 1, 60), 1u);
  later.join();
}

// What is queued runs in order and not before what it waits for; the call returns at once.
TEST_F(OnednnQueues, doesOneThingAfterTheOtherWhenItsTimeHasCome) {
  lathe_queue *line = queue();
  lathe_event *gate = event(), *done = event();
  lathe_buffer *memory = buffer(64);
  std::vector<uint8_t> first(64, 1), second(64, 2), seen_between(64), seen(64);
  const lathe_point waits[] = {{gate, 1}, {nullptr, 99}};
  const lathe_binding whole = {memory, 0, 64};
  ASSERT_TRUE(copy(whole, first.data(), LATHE_COPY_TO_DEVICE, {line, waits, 2, {done, 1}}).ok());
  ASSERT_TRUE(
      copy(whole, seen_between.data(), LATHE_COPY_TO_HOST, {line, nullptr, 0, {done, 2}}).ok());
  ASSERT_TRUE(copy(whole, second.data(), LATHE_COPY_TO_DEVICE, {line, nullptr, 0, {}}).ok());
  ASSERT_TRUE(copy(whole, seen.data(), LATHE_COPY_TO_HOST, {line, nullptr, 0, {done, 3}}).ok());
  EXPECT_EQ(wait(done, 1, 0.02), 0u) << "the gate is closed";
  EXPECT_EQ(seen, std::vector<uint8_t>(64));
  ASSERT_TRUE(mark({nullptr, nullptr, 0, {gate, 1}}).ok());
  EXPECT_EQ(wait(done, 3), 3u);
  EXPECT_EQ(seen_between, first);
  EXPECT_EQ(seen, second);
  EXPECT_TRUE(errorOf(line).ok());
}

// Two queues hand a buffer to and fro; without their events they would not agree.
TEST_F(OnednnQueues, takesTurnsWithAnotherQueue) {
  constexpr uint64_t kTurns = 200;
  lathe_queue *queues[] = {queue(), queue()};
  lathe_event *turn = event();
  lathe_buffer *memory = buffer(64);
  std::vector<std::vector<uint8_t>> sent, got(kTurns, std::vector<uint8_t>(64));
  for (uint64_t i = 0; i < kTurns; ++i)
    sent.emplace_back(64, static_cast<uint8_t>(i + 1));
  for (uint64_t i = 0; i < kTurns; ++i) {
    const lathe_point before = {turn, 2 * i}, between = {turn, 2 * i + 1};
    ASSERT_TRUE(copy({memory, 0, 64}, sent[i].data(), LATHE_COPY_TO_DEVICE,
                     {queues[i % 2], &before, 1, between})
                    .ok());
    ASSERT_TRUE(copy({memory, 0, 64}, got[i].data(), LATHE_COPY_TO_HOST,
                     {queues[1 - i % 2], &between, 1, {turn, 2 * i + 2}})
                    .ok());
  }
  EXPECT_EQ(wait(turn, 2 * kTurns), 2 * kTurns);
  EXPECT_EQ(got, sent);
}

TEST_F(OnednnQueues, isReleasedWhenItsWorkIsDone) {
  lathe_queue *line = queue();
  queues_.clear();
  std::vector<uint8_t> seen(64, 9);
  lathe_buffer *memory = buffer(64);
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(
        copy({memory, 0, 64}, seen.data(), LATHE_COPY_TO_HOST, {line, nullptr, 0, {}}).ok());
  release(line);
  EXPECT_EQ(seen, std::vector<uint8_t>(64));
  release(nullptr);
}

// ---- Runs ---------------------------------------------------------------------------------------

// y = attention of rows, of whose positions a run can find out that they make no sense.
class OnednnQueuedRuns : public OnednnQueues {
protected:
  OnednnQueuedRuns() {
    ProgramBuilder builder;
    builder.function("f", 2);
    const lathe_type *cache_type = builder.kvCache();
    const lathe_value *x = builder.input("x", builder.rows(16));
    const lathe_value *at =
        builder.input("at", builder.tensor({LATHE_EXTENT_ROWS}, LATHE_ELEMENT_I32));
    const lathe_value *cache = builder.input("c", cache_type);
    const auto results = builder.op("lathe.attention",
                                    {{"query", x},
                                     {"key", x},
                                     {"value", x},
                                     {"slots", at},
                                     {"positions", at},
                                     {"cache", cache}},
                                    {{"result", builder.rows(16)}, {"updated", cache_type}},
                                    {{"num_heads", 0, 4}, {"softmax_scale", 0.5}});
    builder.result("y", results[0]);
    auto compiled = Compiled::make(*plugin_, builder.program());
    EXPECT_TRUE(compiled.ok()) << compiled.status();
    auto args = argsOf<lathe_executable_load_args>(device_);
    args.code = compiled->get().code;
    args.size = compiled->get().code_size;
    args.compatibility = compiled->get().compatibility;
    EXPECT_TRUE(statusOf(api_->executable_load(&args)).ok());
    executable_ = args.executable;
    bindings_ = {{buffer(64), 0, 64},    {buffer(64), 0, 4}, {buffer(64), 0, 64}, {}, {},
                 {buffer(4096), 0, 4096}};
    bindings_[5].size = compiled->get().state_bytes;
  }
  ~OnednnQueuedRuns() override {
    for (lathe_queue *&queue : queues_) {
      release(queue);
      queue = nullptr;
    }
    callWith<lathe_executable_args>(api_->executable_release, [&](auto &args) {
      args.executable = executable_;
    }).IgnoreError();
  }

  absl::Status run(const lathe_order &order, void (*observe)(void *, lathe_string) = nullptr) {
    return callWith<lathe_run_args>(api_->run, [&](auto &args) {
      args.executable = executable_;
      args.binding_count = static_cast<uint32_t>(bindings_.size());
      args.bindings = bindings_.data();
      args.rows = 1;
      args.order = order;
      args.observe = observe;
      args.observer = &observed_;
    });
  }

  lathe_executable *executable_ = nullptr;
  std::vector<lathe_binding> bindings_;
  std::vector<std::string> observed_;
};

void note(void *observer, lathe_string label) {
  static_cast<std::vector<std::string> *>(observer)->emplace_back(label.data, label.size);
}

TEST_F(OnednnQueuedRuns, stepsInputsAndResultsFollowEachOther) {
  lathe_queue *line = queue();
  lathe_event *done = event();
  Floats x = numbers(16, 3), y(16);
  ASSERT_TRUE(copy(bindings_[0], x.data(), LATHE_COPY_TO_DEVICE, {line, nullptr, 0, {}}).ok());
  ASSERT_TRUE(run({line, nullptr, 0, {}}, note).ok());
  ASSERT_TRUE(copy(bindings_[2], y.data(), LATHE_COPY_TO_HOST, {line, nullptr, 0, {done, 1}}).ok());
  EXPECT_EQ(wait(done, 1), 1u);
  EXPECT_EQ(y, x) << "one key: its value";
  EXPECT_TRUE(observed_.empty()) << "nobody is told on another thread";
  ASSERT_TRUE(run({}, note).ok());
  EXPECT_THAT(observed_, testing::ElementsAre("attention 16"));
}

TEST_F(OnednnQueuedRuns, keepsTheFirstErrorAndGoesOn) {
  lathe_queue *line = queue();
  lathe_event *done = event();
  int32_t wrong[] = {7}, right[] = {0};
  Floats x = numbers(16, 3), y(16);
  const lathe_order next = {line, nullptr, 0, {}};
  ASSERT_TRUE(copy(bindings_[1], wrong, LATHE_COPY_TO_DEVICE, next).ok());
  ASSERT_TRUE(run(next).ok()) << "it is found out later";
  ASSERT_TRUE(run({line, nullptr, 0, {done, 1}}).ok());
  EXPECT_EQ(wait(done, 1), 1u) << "who waits wakes up";
  EXPECT_EQ(errorOf(line).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(errorOf(line).ok()) << "it is told once";
  ASSERT_TRUE(copy(bindings_[1], right, LATHE_COPY_TO_DEVICE, next).ok());
  ASSERT_TRUE(copy(bindings_[0], x.data(), LATHE_COPY_TO_DEVICE, next).ok());
  ASSERT_TRUE(run(next).ok());
  ASSERT_TRUE(copy(bindings_[2], y.data(), LATHE_COPY_TO_HOST, {line, nullptr, 0, {done, 2}}).ok());
  EXPECT_EQ(wait(done, 2), 2u);
  EXPECT_EQ(y, x);
  EXPECT_TRUE(errorOf(line).ok());
}

TEST_F(OnednnQueuedRuns, saysAtOnceWhatIsWrongWithTheCall) {
  lathe_queue *line = queue();
  bindings_[2].size = 60;
  EXPECT_THAT(run({line, nullptr, 0, {}}).message(), HasSubstr("binding 2 does not hold 64 bytes"));
  bindings_.pop_back();
  EXPECT_THAT(run({line, nullptr, 0, {}}).message(), HasSubstr("5 bindings; f takes 2"));
  EXPECT_TRUE(errorOf(line).ok());
}

TEST_F(OnednnQueuedRuns, waitsOnTheCallingThreadWithoutAQueue) {
  lathe_event *gate = event(), *done = event();
  const lathe_point before = {gate, 1};
  std::atomic<bool> is_open{false};
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    is_open = true;
    EXPECT_TRUE(mark({nullptr, nullptr, 0, {gate, 1}}).ok());
  });
  ASSERT_TRUE(run({nullptr, &before, 1, {done, 1}}).ok());
  EXPECT_TRUE(is_open);
  EXPECT_EQ(wait(done, 1, 0), 1u);
  later.join();
}

} // namespace
} // namespace lathe::plugins
