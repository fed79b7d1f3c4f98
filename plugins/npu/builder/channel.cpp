#include "builder/builder.h"

namespace npu {

Channel::Channel(CoreBuilder &builder, Space space, uint64_t bytes, Pipe producer, Pipe consumer,
                 unsigned count, std::string_view name)
    : builder(builder), producer(producer), consumer(consumer) {
  for (unsigned i = 0; i < count; ++i) {
    slots.push_back(builder.allocate(space, bytes, text(name, i)));
    readyEvents.push_back(builder.event(producer, consumer));
    freeEvents.push_back(builder.event(consumer, producer));
    builder.setFlag(consumer, producer, freeEvents.back());
  }
  if (count < 1 || count > 2)
    builder.fail(text("channel ", name, " has ", count, " slots, it takes 1 or 2"));
  writing = sideAt();
  reading = sideAt();
}

// Where both directions have the same event ids, one register serves both.
Channel::Side Channel::sideAt() {
  Side side{slots[0], readyEvents[0], freeEvents[0]};
  if (slots.size() == 1)
    return side;
  Operand ready = builder.copy(side.ready);
  return {builder.copy(side.address), ready,
          readyEvents == freeEvents ? ready : Operand(builder.copy(side.free))};
}

void Channel::turn(Side &side) {
  if (slots.size() == 1)
    return;
  auto flip = [&](const Operand &at, uint64_t first, uint64_t second) {
    builder.update(Op::SXor, Reg{static_cast<uint8_t>(at.value())}, first ^ second);
  };
  flip(side.address, slots[0].offset, slots[1].offset);
  flip(side.ready, readyEvents[0], readyEvents[1]);
  if (readyEvents != freeEvents)
    flip(side.free, freeEvents[0], freeEvents[1]);
}

Operand Channel::produce() {
  builder.waitFlag(consumer, producer, writing.free);
  return writing.address;
}

void Channel::filled() {
  builder.setFlag(producer, consumer, writing.ready);
  turn(writing);
}

Operand Channel::consume() {
  builder.waitFlag(producer, consumer, reading.ready);
  return reading.address;
}

void Channel::release() {
  builder.setFlag(consumer, producer, reading.free);
  turn(reading);
}

void Channel::close() {
  for (unsigned i = 0; i < slots.size(); ++i) {
    builder.waitFlag(consumer, producer, freeEvents[i]);
    builder.releaseEvent(producer, consumer, readyEvents[i]);
    builder.releaseEvent(consumer, producer, freeEvents[i]);
  }
}

} // namespace npu
