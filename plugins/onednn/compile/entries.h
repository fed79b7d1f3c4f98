// Functions of a program as entries of code: where each value stands.
#pragma once

#include <unordered_map>

#include "compile/lower.h"
#include "compile/weights.h"

namespace onednn {

// Caches of all functions in one memory; those of one name are one cache.
class State {
public:
  uint64_t add(const std::string &name, uint64_t bytes);
  uint64_t bytes() const { return bytes_; }

private:
  struct Cache {
    uint64_t offset, bytes;
  };
  std::unordered_map<std::string, Cache> caches_;
  uint64_t bytes_ = 0;
};

// What is made of all functions together.
struct Made {
  Code code;
  Weights weights;
  State state;
  std::vector<uint64_t> scratch_bytes; // of entries
};

// Adds a function's entry. FAILED_PRECONDITION where its ops do not go together.
void addEntry(const lathe_function *function, Products products, Made &made);

} // namespace onednn
