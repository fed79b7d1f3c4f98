// Weights as the code wants them: rows of f32 or of bf16, one after the other.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "compile/op_view.h"

namespace onednn {

class Weights {
public:
  // Where a constant stands, packed as `element`; a constant that is taken twice stands once.
  Place place(const lathe_constant *constant, Element element);
  size_t count() const { return weights_.size(); }
  const lathe_packed_weight *const *shown() const { return shown_.data(); }
  // The part of a packed weight that is wanted.
  void pack(const lathe_program *program, const lathe_pack_args &args) const;
  // For people: an array of JSON of those whose type has changed.
  std::string conversions() const;

private:
  struct Weight {
    lathe_packed_weight packed;
    const lathe_constant *constant; // of the program, which outlives what is compiled of it
    uint32_t id;
    Element element;
    Shape shape;
  };

  std::deque<Weight> weights_; // the host holds pointers to them
  std::vector<const lathe_packed_weight *> shown_;
};

} // namespace onednn
