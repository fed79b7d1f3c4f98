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
  for (unsigned i = 1; count > 2 && i < count; ++i)
    if (readyEvents[i] != readyEvents[0] + i || freeEvents[i] != freeEvents[0] + i)
      builder.fail(text("channel ", name, " finds no ", count, " events that follow each other"));
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

void Channel::flip(const Operand &at, uint64_t first, uint64_t second) {
  builder.update(Op::SXor, Reg{static_cast<uint8_t>(at.value())}, first ^ second);
}

void Channel::advance(const Operand &at, Operand isLast, uint64_t first, uint64_t step) {
  Reg reg{static_cast<uint8_t>(at.value())};
  builder.update(Op::SAdd, reg, step);
  builder.emit(Op::SSel, DType::None, DType::None, {}, {reg, isLast, first, reg});
}

// Without branches, behind which nothing would be known of what the vector unit has written.
void Channel::turn(Side &side) {
  bool sharesEvents = readyEvents == freeEvents;
  if (slots.size() == 2) {
    flip(side.address, slots[0].offset, slots[1].offset);
    flip(side.ready, readyEvents[0], readyEvents[1]);
    if (!sharesEvents)
      flip(side.free, freeEvents[0], freeEvents[1]);
  } else if (slots.size() > 2)
    builder.scope([&] {
      Reg isLast = builder.reg();
      builder.emit(Op::SCmp, DType::None, DType::None, {},
                   {isLast, static_cast<int>(Cmp::Eq), side.address, slots.back()});
      advance(side.address, isLast, slots[0].offset, slots[1].offset - slots[0].offset);
      advance(side.ready, isLast, readyEvents[0], 1);
      if (!sharesEvents)
        advance(side.free, isLast, freeEvents[0], 1);
    });
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
