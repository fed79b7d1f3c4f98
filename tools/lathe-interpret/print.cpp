#include "tools/lathe-interpret/print.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/xxhash.h"

namespace lathe::interpret {

namespace {

constexpr size_t kShown = 8;

struct Printer {
  llvm::raw_ostream &out;

  void operator()(std::monostate) const { out << "nothing"; }
  void operator()(const reference::Shared<reference::Tensor> &tensor) const {
    line("floats", tensor->shape, tensor->values);
  }
  void operator()(const reference::Shared<reference::Indices> &indices) const {
    line("indices", indices->shape, indices->values);
  }
  void operator()(const reference::Shared<reference::Codes> &codes) const {
    line("codes", codes->shape, codes->codes);
    line(" scales", {codes->scaleRows(), codes->scaleColumns()}, codes->scales);
  }
  void operator()(const reference::Shared<reference::KvCache> &cache) const {
    rows("keys", cache->keys);
    rows(" values", cache->values);
  }
  void operator()(const reference::Shared<reference::LatentCache> &cache) const {
    rows("latents", cache->latents);
  }

private:
  void rows(const char *kind, const reference::SlotRows &rows) const {
    std::vector<float> all;
    for (const std::vector<float> &slot : rows.slots)
      all.insert(all.end(), slot.begin(), slot.end());
    line(kind, {static_cast<int64_t>(rows.slots.size()), rows.columns}, all);
  }

  void element(float value) const { out << llvm::format("%.7g", value); }
  void element(int32_t value) const { out << value; }

  template <typename T>
  void line(const char *kind, const std::vector<int64_t> &shape,
            const std::vector<T> &values) const {
    out << kind << " [";
    llvm::interleaveComma(shape, out);
    const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(values.data()),
                                        values.size() * sizeof(T));
    out << "] "
        << llvm::format("%016llx", static_cast<unsigned long long>(llvm::xxh3_64bits(bytes)))
        << ":";
    for (size_t i = 0; i < std::min(values.size(), kShown); ++i) {
      out << " ";
      element(values[i]);
    }
    if (values.size() > kShown)
      out << " ...";
  }
};

} // namespace

void printValue(llvm::raw_ostream &out, const reference::Value &value) {
  std::visit(Printer{out}, value);
  out << "\n";
}

} // namespace lathe::interpret
