// Order in time: queues, events, copies.
#include "loaded_model.h"

#include <atomic>
#include <chrono>
#include <thread>

namespace npu::plugin {
namespace {

using testing::HasSubstr;

class Queues : public testing::Test {
protected:
  Queues() { EXPECT_EQ(loaded.load(loaded.code()), ""); }
  ~Queues() override {
    for (lathe_queue *queue : queues)
      release(queue);
    for (lathe_event *event : events)
      call<lathe_event_args>(device_api.event_release, [&](auto &asked) { asked.event = event; });
  }

  template <class Args, class Set>
  std::string call(lathe_error *(*function)(Args *), const Set &set) {
    Args asked = args<Args>();
    asked.device = loaded.device;
    set(asked);
    return message_of(function(&asked));
  }

  lathe_queue *queue() {
    auto asked = args<lathe_queue_create_args>();
    asked.device = loaded.device;
    EXPECT_EQ(message_of(device_api.queue_create(&asked)), "");
    queues.push_back(asked.queue);
    return asked.queue;
  }
  void release(lathe_queue *queue) {
    EXPECT_EQ(
        call<lathe_queue_args>(device_api.queue_release, [&](auto &asked) { asked.queue = queue; }),
        "");
  }
  std::string error_of(lathe_queue *queue) {
    return call<lathe_queue_args>(device_api.queue_error,
                                  [&](auto &asked) { asked.queue = queue; });
  }
  lathe_event *event(uint64_t value = 0) {
    auto asked = args<lathe_event_create_args>();
    asked.device = loaded.device, asked.value = value;
    EXPECT_EQ(message_of(device_api.event_create(&asked)), "");
    events.push_back(asked.event);
    return asked.event;
  }
  // The counter, when it has reached the value or the time is over.
  uint64_t wait(lathe_event *event, uint64_t value, double timeout = -1) {
    auto asked = args<lathe_event_wait_args>();
    asked.device = loaded.device, asked.event = event, asked.value = value;
    asked.timeout = timeout;
    EXPECT_EQ(message_of(device_api.event_wait(&asked)), "");
    return asked.reached;
  }
  std::string copy(const lathe_binding &part, void *host, uint32_t direction,
                   const lathe_order &order) {
    return call<lathe_copy_args>(device_api.copy, [&](auto &asked) {
      asked.device_part = part, asked.host_memory = host;
      asked.direction = direction, asked.order = order;
    });
  }
  std::string send(const lathe_binding &part, const std::vector<float> &from,
                   const lathe_order &order) {
    return copy(part, const_cast<float *>(from.data()), LATHE_COPY_TO_DEVICE, order);
  }
  std::string fetch(const lathe_binding &part, std::vector<float> &to, const lathe_order &order) {
    return copy(part, to.data(), LATHE_COPY_TO_HOST, order);
  }
  // A copy of nothing: how a host sets an event.
  void set(lathe_event *event, uint64_t value) {
    EXPECT_EQ(copy({}, nullptr, LATHE_COPY_TO_HOST, {nullptr, nullptr, 0, {event, value}}), "");
  }
  uint64_t scratch() const { return loaded.compiled->entries[0]->scratch_bytes; }

  Loaded loaded{0};
  std::vector<lathe_queue *> queues;
  std::vector<lathe_event *> events;
};

TEST_F(Queues, copiesPartsAndNoMore) {
  lathe_buffer *memory = loaded.buffer(64);
  std::vector<float> there = wave(8, 1), back(8);
  ASSERT_EQ(send({memory, 32, 32}, there, {}), "");
  ASSERT_EQ(fetch({memory, 32, 32}, back, {}), "");
  EXPECT_EQ(back, there);
  for (lathe_binding part :
       {lathe_binding{memory, 48, 17}, lathe_binding{memory, 65, 0},
        lathe_binding{memory, ~uint64_t{15}, 32}, lathe_binding{nullptr, 0, 1}})
    EXPECT_THAT(fetch(part, back, {}), HasSubstr("of a buffer of"));
}

TEST_F(Queues, writesNoImportedMemory) {
  std::vector<float> weights = wave(8, 1), kept = weights, others(8);
  auto asked = args<lathe_buffer_import_args>();
  asked.device = loaded.device, asked.memory = weights.data(), asked.size = 32;
  ASSERT_EQ(message_of(device_api.buffer_import(&asked)), "");
  loaded.buffers.push_back(asked.buffer);
  EXPECT_THAT(send({asked.buffer, 0, 32}, others, {queue(), nullptr, 0, {}}),
              HasSubstr("only read"));
  EXPECT_THAT(call<lathe_buffer_args>(device_api.buffer_clear,
                                      [&](auto &clear) { clear.buffer = asked.buffer; }),
              HasSubstr("only read"));
  EXPECT_EQ(weights, kept);
}

TEST_F(Queues, giveACounterThatOnlyRises) {
  lathe_event *counter = event(5);
  EXPECT_EQ(wait(counter, 6, 0), 5u) << "only looks";
  EXPECT_EQ(wait(counter, 6, 0.01), 5u) << "the time is over";
  set(counter, 9);
  set(counter, 7);
  EXPECT_EQ(wait(counter, 6), 9u);
}

// What is queued runs in order and not before what it waits for; the call returns at once.
TEST_F(Queues, doOneThingAfterTheOtherWhenItsTimeHasCome) {
  lathe_queue *line = queue();
  lathe_event *gate = event(), *done = event();
  std::vector<float> x = wave(3 * cols, 0.2f), y(3 * cols), none(3 * cols);
  std::vector<lathe_binding> bound = loaded.bindings(none, scratch());
  lathe_point waits[] = {{gate, 1}, {nullptr, 99}};
  ASSERT_EQ(send(bound[0], x, {line, waits, 2, {done, 1}}), "");
  ASSERT_EQ(loaded.run(bound, 3, {line, nullptr, 0, {done, 2}}), "");
  ASSERT_EQ(fetch(bound[1], y, {line, nullptr, 0, {done, 3}}), "");
  EXPECT_EQ(wait(done, 1, 0.02), 0u) << "the gate is closed";
  EXPECT_EQ(y, none);
  set(gate, 1);
  EXPECT_EQ(wait(done, 3), 3u);
  std::vector<float> wanted = loaded.model.wanted(x);
  for (size_t i = 0; i < y.size(); ++i)
    ASSERT_NEAR(y[i], wanted[i], 5e-3);
  EXPECT_EQ(error_of(line), "");
}

// Two queues hand a buffer to and fro; without their events they would not agree.
TEST_F(Queues, takeTurns) {
  constexpr uint64_t turns = 200;
  lathe_queue *lines[] = {queue(), queue()};
  lathe_event *turn = event();
  lathe_binding whole{loaded.buffer(64), 0, 64};
  std::vector<std::vector<float>> sent, got(turns, std::vector<float>(16));
  for (uint64_t i = 0; i < turns; ++i)
    sent.emplace_back(16, float(i));
  for (uint64_t i = 0; i < turns; ++i) {
    lathe_point before{turn, 2 * i}, between{turn, 2 * i + 1};
    ASSERT_EQ(send(whole, sent[i], {lines[i % 2], &before, 1, between}), "");
    ASSERT_EQ(fetch(whole, got[i], {lines[1 - i % 2], &between, 1, {turn, 2 * i + 2}}), "");
  }
  EXPECT_EQ(wait(turn, 2 * turns), 2 * turns);
  EXPECT_EQ(got, sent);
}

// Runs of one device in several queues, and the host's own in between.
TEST_F(Queues, runsOfSeveralFollowEachOther) {
  std::vector<float> x = wave(cols, 0.2f);
  std::vector<lathe_queue *> lines{queue(), queue(), nullptr};
  lathe_event *done[] = {event(), event(), event()};
  std::vector<std::vector<lathe_binding>> bound;
  for (size_t i = 0; i < lines.size(); ++i)
    bound.push_back(loaded.bindings(x, scratch()));
  for (uint64_t step = 1; step <= 5; ++step)
    for (size_t i = 0; i < lines.size(); ++i)
      ASSERT_EQ(loaded.run(bound[i], 1, {lines[i], nullptr, 0, {done[i], step}}), "");
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(wait(done[i], 5), 5u);
    EXPECT_EQ(
        std::memcmp(loaded.memory(bound[i][1].buffer), loaded.memory(bound[0][1].buffer), cols * 4),
        0);
  }
}

TEST_F(Queues, keepTheFirstErrorAndGoOn) {
  lathe_queue *line = queue();
  lathe_event *done = event();
  std::vector<float> x = wave(cols, 0.2f), y(cols);
  std::vector<lathe_binding> good = loaded.bindings(x, scratch()), bad = loaded.bindings(x, 0);
  ASSERT_EQ(loaded.run(bad, 1, {line, nullptr, 0, {}}), "") << "it is found out later";
  ASSERT_EQ(loaded.run(bad, 1, {line, nullptr, 0, {done, 1}}), "");
  EXPECT_EQ(wait(done, 1), 1u) << "who waits wakes up";
  EXPECT_THAT(error_of(line), HasSubstr("bytes of scratch"));
  EXPECT_EQ(error_of(line), "") << "it is told once";
  ASSERT_EQ(loaded.run(good, 1, {line, nullptr, 0, {}}), "");
  ASSERT_EQ(fetch(good[1], y, {line, nullptr, 0, {done, 2}}), "");
  EXPECT_EQ(wait(done, 2), 2u);
  EXPECT_NEAR(y[0], loaded.model.wanted(x)[0], 5e-3);
  EXPECT_EQ(error_of(line), "");
}

TEST_F(Queues, sayAtOnceWhatIsWrongWithTheCall) {
  lathe_queue *line = queue();
  std::vector<lathe_binding> bound = loaded.bindings(wave(cols, 1), scratch());
  EXPECT_THAT(loaded.run(bound, 21, {line, nullptr, 0, {}}), HasSubstr("step takes 1 to 20"));
  bound[1].size += 1;
  EXPECT_THAT(loaded.run(bound, 1, {line, nullptr, 0, {}}),
              HasSubstr("binding 1 is beyond the end"));
  EXPECT_EQ(error_of(line), "");
}

TEST_F(Queues, withoutOneTheCallWaits) {
  lathe_event *gate = event(), *done = event();
  lathe_point before{gate, 1};
  std::atomic<bool> is_open{false};
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    is_open = true;
    set(gate, 1);
  });
  std::vector<lathe_binding> bound = loaded.bindings(wave(cols, 1), scratch());
  EXPECT_EQ(loaded.run(bound, 1, {nullptr, &before, 1, {done, 1}}), "");
  EXPECT_TRUE(is_open);
  EXPECT_EQ(wait(done, 1, 0), 1u);
  later.join();
}

TEST_F(Queues, areReleasedWhenTheirWorkIsDone) {
  lathe_queue *line = queue();
  queues.clear();
  std::vector<float> sent(16, 9), got(16);
  lathe_binding whole{loaded.buffer(64), 0, 64};
  ASSERT_EQ(send(whole, sent, {line, nullptr, 0, {}}), "");
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(fetch(whole, got, {line, nullptr, 0, {}}), "");
  std::vector<lathe_binding> bad = loaded.bindings(wave(cols, 1), 0);
  ASSERT_EQ(loaded.run(bad, 1, {line, nullptr, 0, {}}), "") << "an error that nobody asks for";
  release(line);
  EXPECT_EQ(got, sent);
  release(nullptr);
}

} // namespace
} // namespace npu::plugin
