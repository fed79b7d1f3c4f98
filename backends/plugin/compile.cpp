#include "backends/plugin/compile.h"

#include <algorithm>

#include "base/status.h"
#include "runtime/device/error.h"

namespace lathe::plugin {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 48;
constexpr uint64_t kWeightAlignment = 64; // at least: what each binding has
constexpr size_t kMaxWeights = size_t{1} << 20;

int reportProgress(void *context, double done) {
  return (*static_cast<const Code::Progress *>(context))(done) ? 0 : 1;
}

std::string nameOf(const lathe_program &program, uint32_t constant) {
  return runtime::fromAbi(program.constants[constant]->name);
}

} // namespace

absl::Status Code::wrong(absl::string_view what) const {
  return absl::InternalError(absl::StrCat(target_.name, ": its code ", what));
}

absl::StatusOr<std::unique_ptr<Code>>
Code::compile(const Target &target, const lathe_program &program, const Progress &progress) {
  std::unique_ptr<Code> code(new Code(target, program));
  lathe_compile_args args = {};
  args.struct_size = sizeof args;
  args.target = target.handle;
  args.program = &program;
  args.progress = reportProgress;
  args.context = const_cast<Progress *>(&progress);
  absl::Status compiled = runtime::takeError(target.api->compile(&args));
  if (!compiled.ok())
    return prefixed(compiled, absl::StrCat(target.name, ": "));
  code->compiled_ = args.compiled;
  LATHE_RETURN_IF_ERROR(code->read());
  return code;
}

Code::~Code() {
  if (compiled_ && LATHE_HAS_FIELD(lathe_compiled, compiled_, release) && compiled_->release)
    compiled_->release(compiled_);
}

absl::Status Code::read() {
  if (!compiled_)
    return wrong("is none, though it reports success");
  const lathe_compiled &given = *compiled_;
  if (!LATHE_HAS_FIELD(lathe_compiled, &given, release))
    return wrong(absl::StrCat("has a lathe_compiled of ", given.struct_size,
                              " bytes, which lacks "
                              "fields of abi 1.0"));
  compatibility_ = runtime::fromAbi(given.compatibility);
  if (compatibility_.empty())
    return wrong("has no compatibility string");
  if (!given.code || given.code_size == 0 || given.code_size > kMaxBytes)
    return wrong(absl::StrCat("has ", given.code_size, " bytes"));
  bytes_ = {static_cast<const uint8_t *>(given.code), given.code_size};
  state_bytes_ = given.state_bytes;
  if (state_bytes_ > kMaxBytes)
    return wrong(absl::StrCat("wants ", state_bytes_, " bytes of state"));
  LATHE_RETURN_IF_ERROR(readEntries());
  if (given.weight_count > kMaxWeights ||
      (given.weight_count > 0 && (!given.weights || !given.pack)))
    return wrong(
        absl::StrCat("has ", given.weight_count, " packed weights and no way to get them"));
  for (size_t i = 0; i < given.weight_count; ++i)
    LATHE_RETURN_IF_ERROR(readWeight(given.weights[i]));
  return absl::OkStatus();
}

absl::Status Code::readEntries() {
  for (size_t i = 0;
       compiled_->entries && i < compiled_->entry_count && i < program_.function_count; ++i) {
    const lathe_compiled_entry *entry = compiled_->entries[i];
    if (!entry || !LATHE_HAS_FIELD(lathe_compiled_entry, entry, scratch_bytes) ||
        entry->scratch_bytes > kMaxBytes)
      return wrong(absl::StrCat("has an entry ", i, " that is none"));
    scratch_[runtime::fromAbi(entry->name)] = entry->scratch_bytes;
  }
  for (size_t i = 0; i < program_.function_count; ++i) {
    std::string name = runtime::fromAbi(program_.functions[i]->name);
    if (!scratch_.count(name))
      return wrong(absl::StrCat("has no entry '", name, "'"));
  }
  return absl::OkStatus();
}

absl::Status Code::readWeight(const lathe_packed_weight *weight) {
  if (!weight || !LATHE_HAS_FIELD(lathe_packed_weight, weight, alignment) ||
      weight->constant_count == 0 || !weight->constants ||
      weight->constants[0] >= program_.constant_count)
    return wrong("has a packed weight of no constant");
  const uint64_t alignment = weight->alignment;
  PackedWeight packed{nameOf(program_, weight->constants[0]), runtime::fromAbi(weight->layout), 0,
                      weight->size};
  const bool aligned = alignment > 0 && alignment <= 4096 && (alignment & (alignment - 1)) == 0;
  if (!aligned || packed.size > kMaxBytes || weightBytes() > kMaxBytes)
    return wrong(absl::StrCat("has a packed weight '", packed.name, "' of ", packed.size,
                              " bytes aligned to ", alignment));
  const uint64_t unit = std::max(alignment, kWeightAlignment);
  packed.offset = (weightBytes() + unit - 1) / unit * unit;
  weights_.push_back(std::move(packed));
  return absl::OkStatus();
}

absl::Status Code::pack(size_t weight, uint64_t offset, absl::Span<uint8_t> out) const {
  if (out.empty())
    return absl::OkStatus();
  lathe_pack_args args = {};
  args.struct_size = sizeof args;
  args.compiled = compiled_;
  args.program = &program_;
  args.weight = static_cast<uint32_t>(weight);
  args.offset = offset;
  args.size = out.size();
  args.destination = out.data();
  absl::Status packed = runtime::takeError(compiled_->pack(&args));
  return packed.ok() ? packed
                     : prefixed(packed, absl::StrCat(target_.name, ": packing '",
                                                     weights_[weight].name, "': "));
}

} // namespace lathe::plugin
