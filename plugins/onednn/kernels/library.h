// oneDNN's engine, its primitives by shape, and memory for those who run them. From any thread.
#pragma once

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <dnnl.hpp>

#include "kernels/one_thread.h"

namespace onednn {

// Memory that grows and is never read before it is written.
class Block {
public:
  template <typename Number> Number *of(size_t count) {
    return static_cast<Number *>(bytes(count * sizeof(Number)));
  }

private:
  void *bytes(size_t size);

  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

// What one thread needs while it runs a piece of an op.
struct Workspace {
  explicit Workspace(const dnnl::engine &engine) : stream(engine) {}

  dnnl::stream stream;
  Block scratchpad, scores, rows;
};

// A primitive for one shape, with the memory that it takes.
struct Primitive {
  struct Argument {
    int number; // DNNL_ARG_*
    dnnl::memory::desc desc;
  };
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
  dnnl::memory::desc scratchpad;
};

class Library {
public:
  Library() : engine_(dnnl::engine::kind::cpu, 0) {}

  const dnnl::engine &engine() const { return engine_; }

  // First which primitive, then its shape.
  using Key = std::array<int64_t, 9>;
  // The primitive of the key: made by `make` the first time. Two threads may make it at once.
  template <typename Make> std::shared_ptr<const Primitive> find(const Key &key, Make make) {
    if (auto known = lookUp(key))
      return known;
    return keep(key, std::make_shared<const Primitive>(make()));
  }
  // One pointer for each of its arguments, in their order.
  void run(const Primitive &primitive, Workspace &workspace,
           std::initializer_list<const void *> pointers) const;

  // A workspace of the caller's own until it is given back.
  class Lease {
  public:
    explicit Lease(Library &library) : library_(library), workspace_(library.borrow()) {}
    ~Lease() { library_.giveBack(std::move(workspace_)); }
    Lease(const Lease &) = delete;
    Lease &operator=(const Lease &) = delete;
    Workspace &operator*() { return *workspace_; }
    Workspace *operator->() { return workspace_.get(); }

  private:
    OneThread one_;
    Library &library_;
    std::unique_ptr<Workspace> workspace_;
  };

private:
  std::shared_ptr<const Primitive> lookUp(const Key &key);
  std::shared_ptr<const Primitive> keep(const Key &key, std::shared_ptr<const Primitive> made);
  std::unique_ptr<Workspace> borrow();
  void giveBack(std::unique_ptr<Workspace> workspace) noexcept;

  dnnl::engine engine_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Primitive>> primitives_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

// Primitives that take their scratch memory from who runs them: oneDNN's own belongs to the thread
// that made the primitive.
dnnl::primitive_attr ownScratchpad();
// Throws where a function of oneDNN's C interface failed.
void check(dnnl_status_t status, const char *what);

} // namespace onednn
