#include "passes/cost/work.h"

#include "llvm/ADT/TypeSwitch.h"

#include "ir/lathe/verify.h"
#include "passes/cost/mla.h"
#include "passes/cost/table.h"
#include "passes/products.h"

namespace lathe::passes::cost {

namespace {

using mlir::Operation;
using mlir::Value;
using Works = llvm::SmallVector<WeightWork>;

// `rows` go to as many matrices of each stack, together.
Works stacks(mlir::ValueRange weights, double rows) {
  return llvm::map_to_vector(weights, [&](Value weight) {
    const auto matrices = static_cast<double>(ir::shapeOf(weight.getType())[0]);
    return WeightWork{weight.getType(), rows / matrices};
  });
}

Works fusedExperts(ir::FusedExpertsOp op, double rows) {
  const auto chosen = static_cast<double>(op.getRouting().getTopK());
  Works works = stacks({op.getGate(), op.getUp(), op.getDown()}, rows * chosen);
  works.push_back({op.getRouter().getType(), rows});
  return works;
}

// `part` of the n + v rows that kv_b has for each head.
template <typename Fold> Works fold(Fold op, int64_t part, double rows) {
  const auto whole = static_cast<double>(op.getQkNopeHeadDim() + op.getVHeadDim());
  return {{op.getKvB().getType(), rows * static_cast<double>(part) / whole}};
}

Works products(Operation *op, llvm::function_ref<double(Value)> rowsOf) {
  return llvm::map_to_vector(productsOf(op), [&](const Product &product) {
    return WeightWork{product.weight.getType(), rowsOf(product.x)};
  });
}

Work workOf(ir::MlaAttentionOp op, double rows, double keys) {
  const MlaShape shape = MlaShape::of(op);
  return op.getForm() == ir::MlaForm::materialised ? materialised(shape, rows, keys)
                                                   : absorbed(shape, rows, keys);
}

// The head has as many rows as logits are asked for: one.
double rowsOfDecode(Value value) {
  const int64_t rows = ir::rowsOf(value);
  return mlir::ShapedType::isDynamic(rows) ? 1 : static_cast<double>(rows);
}

double weightFlops(Operation *op) {
  auto latent = mlir::dyn_cast<ir::MlaAttentionOp>(op);
  double flops = latent && latent.getKvB() ? workOf(latent, 1, 0).flops : 0;
  for (const WeightWork &work : weightWork(op, rowsOfDecode))
    flops += 2 * weightCost(work.weight).codes * work.rows;
  return flops;
}

} // namespace

llvm::SmallVector<WeightWork> weightWork(Operation *op, llvm::function_ref<double(Value)> rowsOf) {
  return llvm::TypeSwitch<Operation *, Works>(op)
      .Case([&](ir::GatedLinearOp gated) {
        const double rows = rowsOf(gated.getX());
        return Works{{gated.getGate().getType(), rows}, {gated.getUp().getType(), rows}};
      })
      .Case([&](ir::ExpertFfnOp experts) {
        return stacks({experts.getGate(), experts.getUp(), experts.getDown()},
                      rowsOf(experts.getRows()));
      })
      .Case([&](ir::FusedExpertsOp experts) {
        return fusedExperts(experts, rowsOf(experts.getInput()));
      })
      .Case([&](ir::AbsorbQueryOp query) {
        return fold(query, query.getQkNopeHeadDim(), rowsOf(query.getInput()));
      })
      .Case([&](ir::ExpandValueOp value) {
        return fold(value, value.getVHeadDim(), rowsOf(value.getInput()));
      })
      .Default([&](Operation *other) { return products(other, rowsOf); });
}

KeyWork keyWork(ir::AttentionOp op) {
  const ir::KvCacheType cache = op.getCache().getType();
  const auto heads = static_cast<double>(op.getNumHeads());
  return {2 * heads * static_cast<double>(cache.getKeyDim() + cache.getValueDim()),
          static_cast<int64_t>(op.getWindow().value_or(0))};
}

KeyWork keyWork(ir::MlaAttentionOp op) {
  return {workOf(op, 1, 1).flops - workOf(op, 1, 0).flops, 0};
}

double weightFlops(mlir::func::FuncOp decode) {
  double flops = 0;
  decode.walk([&](Operation *op) { flops += weightFlops(op); });
  return flops;
}

KeyWork keyWork(mlir::func::FuncOp decode, unsigned cache) {
  for (Operation *user : decode.getArgument(cache).getUsers()) {
    if (auto attention = mlir::dyn_cast<ir::AttentionOp>(user))
      return keyWork(attention);
    if (auto latent = mlir::dyn_cast<ir::MlaAttentionOp>(user))
      return keyWork(latent);
  }
  return {};
}

} // namespace lathe::passes::cost
