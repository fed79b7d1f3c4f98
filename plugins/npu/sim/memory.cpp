#include "sim/memory.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace npu {

InitMap::InitMap(uint64_t bytes)
    : words(static_cast<uint64_t *>(std::calloc(bytes / 64 + 1, sizeof(uint64_t)))) {}

namespace {

// Bits [begin, end) of one word.
uint64_t bitsBetween(unsigned begin, unsigned end) {
  uint64_t upTo = end == 64 ? ~uint64_t{0} : (uint64_t{1} << end) - 1;
  return upTo & ~((uint64_t{1} << begin) - 1);
}

// Calls visit(word, mask) for each word that holds bits of [begin, end), until it says false.
template <class Visit> void eachWord(uint64_t begin, uint64_t end, Visit visit) {
  while (begin < end) {
    uint64_t word = begin / 64, stop = std::min(end, (word + 1) * 64);
    if (!visit(word, bitsBetween(begin % 64, static_cast<unsigned>(stop - word * 64))))
      return;
    begin = stop;
  }
}

} // namespace

void InitMap::mark(uint64_t begin, uint64_t end) {
  eachWord(begin, end, [&](uint64_t word, uint64_t mask) {
    std::atomic_ref<uint64_t> bits(words[word]);
    if (mask == ~uint64_t{0})
      bits.store(mask, std::memory_order_relaxed);
    else
      bits.fetch_or(mask, std::memory_order_relaxed);
    return true;
  });
}

void InitMap::clear(uint64_t end) { std::memset(words.get(), 0, (end + 63) / 64 * 8); }

uint64_t InitMap::firstMissing(uint64_t begin, uint64_t end) const {
  uint64_t missing = end;
  eachWord(begin, end, [&](uint64_t word, uint64_t mask) {
    uint64_t lacking =
        mask & ~std::atomic_ref<uint64_t>(words[word]).load(std::memory_order_relaxed);
    if (lacking)
      missing = word * 64 + std::countr_zero(lacking);
    return !lacking;
  });
  return missing;
}

GlobalMemory::~GlobalMemory() {
  for (Allocation &allocation : allocations)
    if (allocation.owned)
      std::free(allocation.data);
}

Result<uint64_t> GlobalMemory::place(Allocation allocation) {
  if (allocation.bytes > capacity - used) {
    if (allocation.owned)
      std::free(allocation.data);
    return error("device memory: ", allocation.bytes, " bytes asked for, ", capacity - used, " of ",
                 capacity, " are free; release buffers or take a smaller model");
  }
  allocation.base = next;
  next += (allocation.bytes + 511) / 512 * 512 + 512;
  used += allocation.bytes;
  allocations.push_back(std::move(allocation));
  return allocations.back().base;
}

Result<uint64_t> GlobalMemory::allocate(uint64_t bytes) {
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.owned = true;
  if (bytes <= capacity - used) {
    allocation.data = static_cast<std::byte *>(std::calloc(bytes + 1, 1));
    allocation.written = InitMap(bytes);
    if (!allocation.data)
      return error("device memory: the host gives no ", bytes, " bytes; use a smaller model");
  }
  return place(std::move(allocation));
}

Result<uint64_t> GlobalMemory::attach(std::byte *data, uint64_t bytes) {
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.data = data;
  allocation.allWritten = true;
  return place(std::move(allocation));
}

Result<uint64_t> GlobalMemory::attachReadOnly(const std::byte *data, uint64_t bytes) {
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.data = const_cast<std::byte *>(data); // nothing writes: see readOnly
  allocation.allWritten = allocation.readOnly = true;
  return place(std::move(allocation));
}

Result<uint64_t> GlobalMemory::reserve(uint64_t bytes) { return attach(nullptr, bytes); }

Status GlobalMemory::release(uint64_t address) {
  auto found = std::find_if(allocations.begin(), allocations.end(),
                            [&](const Allocation &each) { return each.base == address; });
  if (found == allocations.end())
    return error("device memory: ", Hex{address},
                 " is no address that was given out; it may have "
                 "been released before");
  if (found->owned)
    std::free(found->data);
  used -= found->bytes;
  allocations.erase(found);
  return {};
}

const GlobalMemory::Allocation *GlobalMemory::find(uint64_t address) const {
  auto after = std::upper_bound(allocations.begin(), allocations.end(), address,
                                [](uint64_t a, const Allocation &each) { return a < each.base; });
  if (after == allocations.begin())
    return nullptr;
  const Allocation &candidate = *std::prev(after);
  return address < candidate.end() ? &candidate : nullptr;
}

} // namespace npu
