// The form of a weight is decided by who reads it. A weight whose readers all are products may be
// rounded; what must go together (gate and up of experts) is taken back together.
#include "passes/passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include "ir/lathe/verify.h"
#include "passes/explain.h"
#include "passes/products.h"

#define DEBUG_TYPE "lathe-quantize-weights"

namespace lathe::passes {

#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "passes/passes.h.inc"

namespace {

using mlir::Operation;
using mlir::OpOperand;

//===--- the forms ---===//

constexpr int64_t kFp8Block = 128, kIntegerBlock = 32;

// The type of `shape` in the form; null for a form that is not known.
mlir::Type typeInForm(llvm::StringRef form, mlir::MLIRContext *context,
                      llvm::ArrayRef<int64_t> shape) {
  if (form == "bf16")
    return mlir::RankedTensorType::get(shape, mlir::BFloat16Type::get(context));
  if (form == "fp8")
    return ir::QuantizedType::get(context, shape, mlir::Float8E4M3FNType::get(context), kFp8Block,
                                  kFp8Block, mlir::Float32Type::get(context));
  const unsigned bits = form == "q8_0" ? 8 : form == "q4_0" ? 4 : 0;
  if (bits == 0)
    return {};
  return ir::QuantizedType::get(context, shape, mlir::IntegerType::get(context, bits), 1,
                                kIntegerBlock, mlir::Float16Type::get(context));
}

bool isCodes(mlir::Type type) { return mlir::isa<ir::QuantizedType>(type); }

std::string textOf(mlir::Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

//===--- the readers of a weight ---===//

bool isProductsWeight(OpOperand &use) {
  Operation *reader = use.getOwner();
  if (auto ffn = mlir::dyn_cast<ir::ExpertFfnOp>(reader))
    return llvm::is_contained({ffn.getGate(), ffn.getUp(), ffn.getDown()}, use.get());
  if (auto attention = mlir::dyn_cast<ir::MlaAttentionOp>(reader))
    return attention.getKvB() == use.get();
  const std::optional<Product> product = productOf(reader);
  return product && product->weight == use.get();
}

bool isTable(OpOperand &use) { return mlir::isa<ir::EmbeddingOp>(use.getOwner()); }

bool isRoutersWeight(OpOperand &use) {
  const std::optional<Product> product = productOf(use.getOwner());
  return product && product->weight == use.get() && isRouter(*product);
}

// Rows of codes want a weight of codes.
bool hasRowsOfCodes(OpOperand &use) {
  auto ffn = mlir::dyn_cast<ir::ExpertFfnOp>(use.getOwner());
  return isCodes(use.getOwner()->getOperand(0).getType()) ||
         (ffn && ir::blockColumnsOf(ffn.getActivations()) != 0);
}

// The operand that must have the type of `use`; null if there is none.
mlir::Value partnerOf(OpOperand &use) {
  auto ffn = mlir::dyn_cast<ir::ExpertFfnOp>(use.getOwner());
  if (!ffn || use.get() == ffn.getDown())
    return {};
  return use.get() == ffn.getGate() ? ffn.getUp() : ffn.getGate();
}

class Quantizer {
public:
  Quantizer(llvm::StringRef form, mlir::func::FuncOp function) : form_(form), rewriter_(function) {
    for (ir::WeightOp weight : function.getOps<ir::WeightOp>())
      if (whyNot(weight).empty())
        converted_.insert(weight);
    takeBackWithoutPartners();
  }

  void run(mlir::func::FuncOp function) {
    for (ir::WeightOp weight : llvm::to_vector(function.getOps<ir::WeightOp>())) {
      record(weight);
      if (converted_.contains(weight))
        convert(weight);
    }
  }

  int64_t converted() const { return static_cast<int64_t>(converted_.size()); }

private:
  bool hasForm(mlir::Type type) const {
    return ir::elementTypeOf(type) == ir::elementTypeOf(formOf(type));
  }
  mlir::Type formOf(mlir::Type type) const {
    return typeInForm(form_, rewriter_.getContext(), ir::shapeOf(type));
  }

  // The first reason to leave a weight alone; empty if there is none.
  std::string whyNot(ir::WeightOp weight) const {
    auto uses = [&] { return llvm::make_range(weight->use_begin(), weight->use_end()); };
    if (llvm::any_of(uses(), isRoutersWeight))
      return "the router: rounding would choose other experts";
    if (llvm::none_of(uses(), isProductsWeight))
      return llvm::any_of(uses(), isTable) ? "a token reads one row of it" : "no product's weight";
    if (!llvm::all_of(uses(), [](OpOperand &use) { return isProductsWeight(use) || isTable(use); }))
      return "something that is no product reads it, too";
    if (hasForm(weight.getType()))
      return "it has that form";
    if (weight.getStored())
      return "it has another form already";
    if (form_ == "bf16" && llvm::any_of(uses(), hasRowsOfCodes))
      return "its rows are codes";
    return "";
  }

  // A partner that stays lets the other stay, whose partners then stay, too.
  void takeBackWithoutPartners() {
    auto lacksPartner = [&](OpOperand &use) {
      mlir::Value partner = partnerOf(use);
      auto weight = partner ? partner.getDefiningOp<ir::WeightOp>() : ir::WeightOp();
      return partner &&
             (!weight || !converted_.contains(weight) || weight.getType() != use.get().getType());
    };
    while (converted_.remove_if([&](ir::WeightOp weight) {
      const bool lacks = llvm::any_of(weight->getUses(), lacksPartner);
      if (lacks)
        alone_.insert(weight);
      return lacks;
    })) {
    }
  }

  void record(ir::WeightOp weight) {
    if (weight->use_empty())
      return;
    const std::string why = alone_.contains(weight) ? "gate and up go together" : whyNot(weight);
    if (why == "no product's weight") // norms and biases: nobody asks
      return;
    OpOperand *reader = &*weight->use_begin();
    for (OpOperand &use : weight->getUses())
      if (isProductsWeight(use))
        reader = &use;
    const bool shared = llvm::any_of(weight->getUses(), isTable);
    const std::string stored = textOf(ir::elementTypeOf(weight.getTypeInCheckpoint()));
    explain(reader->getOwner(),
            {DEBUG_TYPE, reader->getOwner()->getName().stripDialect().str(),
             why.empty() ? form_.str() : "as in the checkpoint",
             !why.empty() ? why
             : shared ? "asked for, and the embedding reads it, too; in the checkpoint " + stored
                      : "asked for; in the checkpoint " + stored});
  }

  void convert(ir::WeightOp weight) {
    // Read while the ops still fit the type.
    llvm::MapVector<Operation *, Product> products;
    for (Operation *reader : weight->getUsers())
      if (const std::optional<Product> product = productOf(reader))
        products.insert({reader, *product});
    weight.setStoredAttr(mlir::TypeAttr::get(weight.getType()));
    weight.getResult().setType(formOf(weight.getType()));
    for (const auto &[reader, product] : products) {
      rewriter_.setInsertionPoint(reader);
      remake(rewriter_, reader->getLoc(), product);
      rewriter_.eraseOp(reader);
    }
  }

  llvm::StringRef form_;
  mlir::IRRewriter rewriter_;
  llvm::SetVector<ir::WeightOp> converted_;
  llvm::DenseSet<ir::WeightOp> alone_;
};

struct QuantizeWeightsPass : impl::QuantizeWeightsBase<QuantizeWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (weights.empty())
      return;
    if (!typeInForm(weights, &getContext(), {1, 1})) {
      getOperation().emitError("weights are '")
          << weights << "'; they should be bf16, fp8, q8_0 or q4_0";
      return signalPassFailure();
    }
    Quantizer quantizer(weights, getOperation());
    quantizer.run(getOperation());
    numConverted += quantizer.converted();
  }
};

} // namespace
} // namespace lathe::passes
