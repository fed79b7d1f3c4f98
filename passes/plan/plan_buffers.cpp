// A buffer for each result and each scratch, with the ops between which it lives; plan/arena.h
// finds the places. Inputs and results of one op live together: kernels may read while they write.
#include "passes/passes.h"

#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/DebugLog.h"

#include "passes/plan/arena.h"
#include "passes/plan/sizes.h"

#define DEBUG_TYPE "lathe-plan-buffers"

namespace lathe::passes {

#define GEN_PASS_DEF_PLANBUFFERS
#include "passes/passes.h.inc"

namespace {

using mlir::Operation;
using mlir::func::FuncOp;

using Order = llvm::DenseMap<Operation *, int64_t>;

Order orderOf(mlir::Block &block) {
  Order order;
  for (Operation &op : block)
    order[&op] = order.size();
  return order;
}

// The last op that reads each value. A view is read when what it is a view of is, so going
// backwards hands the last use of a view on to that.
llvm::DenseMap<mlir::Value, int64_t> lastUses(mlir::Block &block, const Order &order) {
  llvm::DenseMap<mlir::Value, int64_t> last;
  for (Operation &op : llvm::reverse(block)) {
    const int64_t use = order.lookup(&op);
    for (mlir::Value operand : op.getOperands())
      last[operand] = std::max(last.lookup(operand), use);
    if (mlir::Value viewed = viewedBy(&op))
      last[viewed] = std::max(last.lookup(viewed), last.lookup(op.getResult(0)));
  }
  return last;
}

// Buffers in a fixed order: of each op its results that need memory, then its scratch.
std::vector<Buffer> collectBuffers(FuncOp function, const Sizes &sizes) {
  mlir::Block &block = function.getBody().front();
  const Order order = orderOf(block);
  const llvm::DenseMap<mlir::Value, int64_t> last = lastUses(block, order);
  std::vector<Buffer> buffers;
  for (Operation &op : block) {
    const int64_t now = order.lookup(&op);
    for (auto [result, bytes] : llvm::zip(op.getResults(), sizes[&op].results))
      if (bytes > 0)
        buffers.push_back({aligned(bytes), now, std::max(now, last.lookup(result))});
    if (sizes[&op].scratch > 0)
      buffers.push_back({aligned(sizes[&op].scratch), now, now});
  }
  return buffers;
}

// Takes the buffers in the order in which they were collected.
class OffsetWriter {
public:
  OffsetWriter(mlir::MLIRContext *context, llvm::ArrayRef<Buffer> buffers)
      : builder_(context), next_(buffers.begin()) {}

  void write(Operation &op, const OpBytes &bytes) {
    llvm::SmallVector<int64_t> offsets;
    for (int64_t result : bytes.results)
      offsets.push_back(result > 0 ? next_++->offset : -1);
    op.removeAttr("arena_offsets");
    op.removeAttr("scratch_offset");
    if (llvm::any_of(offsets, [](int64_t offset) { return offset >= 0; }))
      op.setAttr("arena_offsets", builder_.getDenseI64ArrayAttr(offsets));
    if (bytes.scratch > 0)
      op.setAttr("scratch_offset", builder_.getI64IntegerAttr(next_++->offset));
  }

private:
  mlir::Builder builder_;
  const Buffer *next_;
};

std::optional<int64_t> totalBytes(llvm::ArrayRef<Buffer> buffers) {
  int64_t total = 0;
  for (const Buffer &buffer : buffers) {
    const std::optional<int64_t> sum = llvm::checkedAdd(total, buffer.bytes);
    if (!sum)
      return std::nullopt;
    total = *sum;
  }
  return total;
}

struct PlanBuffersPass : impl::PlanBuffersBase<PlanBuffersPass> {
  using Base::Base;

  void runOnOperation() override {
    FuncOp function = getOperation();
    const mlir::FailureOr<Sizes> sizes = Sizes::of(function);
    if (mlir::failed(sizes))
      return signalPassFailure();
    std::vector<Buffer> buffers = collectBuffers(function, *sizes);
    const std::optional<int64_t> total = totalBytes(buffers);
    if (!total) {
      function.emitError("its results need more than 2^63 bytes");
      return signalPassFailure();
    }
    const int64_t bytes = placeBuffers(buffers);
    LDBG() << "@" << function.getName() << ": " << bytes << " bytes instead of " << *total;
    OffsetWriter writer(&getContext(), buffers);
    for (Operation &op : function.getBody().front())
      writer.write(op, (*sizes)[&op]);
    function->setAttr("lathe.arena_bytes", mlir::Builder(function).getI64IntegerAttr(bytes));
    numBuffers += buffers.size();
  }
};

} // namespace
} // namespace lathe::passes
