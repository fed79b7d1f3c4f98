#include "kernels/library.h"

#include <new>

namespace onednn {
namespace {

// Row counts, widths and lengths of contexts in use at a time stay far below. Who goes beyond it
// makes some primitives again, each in less than a millisecond.
constexpr size_t kMostPrimitives = 4096;
constexpr size_t kAlignment = 4096;

} // namespace

void *Block::bytes(size_t size) {
  if (size > size_) {
    const size_t pages = (size + kAlignment - 1) / kAlignment * kAlignment;
    memory_.reset();
    size_ = 0;
    memory_.reset(std::aligned_alloc(kAlignment, pages));
    if (!memory_)
      throw std::bad_alloc();
    size_ = pages;
  }
  return memory_.get();
}

std::shared_ptr<const Primitive> Library::lookUp(const Key &key) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto known = primitives_.find(key);
  return known == primitives_.end() ? nullptr : known->second;
}

std::shared_ptr<const Primitive> Library::keep(const Key &key,
                                               std::shared_ptr<const Primitive> made) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (primitives_.size() >= kMostPrimitives)
    primitives_.clear();
  return primitives_.try_emplace(key, std::move(made)).first->second;
}

void Library::run(const Primitive &primitive, Workspace &workspace,
                  std::initializer_list<const void *> pointers) const {
  std::unordered_map<int, dnnl::memory> arguments;
  const void *const *pointer = pointers.begin();
  for (const Primitive::Argument &argument : primitive.arguments)
    arguments.emplace(argument.number,
                      dnnl::memory(argument.desc, engine_, const_cast<void *>(*pointer++)));
  const size_t scratch = primitive.scratchpad.get_size();
  if (scratch > 0)
    arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(primitive.scratchpad, engine_,
                                                        workspace.scratchpad.of<char>(scratch)));
  primitive.primitive.execute(workspace.stream, arguments);
}

std::unique_ptr<Workspace> Library::borrow() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(free_.back());
      free_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>(engine_);
}

void Library::giveBack(std::unique_ptr<Workspace> workspace) noexcept {
  try {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(workspace));
  } catch (...) { // no memory to remember it by: it is freed
  }
}

dnnl::primitive_attr ownScratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void check(dnnl_status_t status, const char *what) {
  if (status != dnnl_success)
    throw dnnl::error(status, what);
}

} // namespace onednn
