// Rows of products are rounded where they enter a product, not where they are made: sums and norms
// stay in f32. Which products are worth it is decided here, product by product.
#include "passes/passes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

#include "ir/lathe/verify.h"
#include "passes/explain.h"
#include "passes/products.h"

#define DEBUG_TYPE "lathe-legalise-activations"

namespace lathe::passes {

#define GEN_PASS_DEF_LEGALISEACTIVATIONS
#include "passes/passes.h.inc"

namespace {

using ir::Activations;
using mlir::Operation;
using mlir::Value;
using mlir::func::FuncOp;

// The form in which a product takes its rows, and why.
struct Form {
  Activations activations;
  std::string why;
};

// The logits are returned as they are, or scaled by a constant.
bool isHead(const Product &product) {
  for (Value value = product.result; value;) {
    if (llvm::any_of(value.getUsers(), llvm::IsaPred<mlir::func::ReturnOp>))
      return true;
    auto scale = llvm::find_if(value.getUsers(), llvm::IsaPred<ir::ScaleOp>);
    value = scale == value.user_end() ? Value() : scale->getResult(0);
  }
  return false;
}

std::string codeName(mlir::Type weight) {
  const mlir::Type element = mlir::cast<ir::QuantizedType>(weight).getElementType();
  return element.isInteger(8) ? "i8" : element.isInteger(4) ? "i4" : "e4m3";
}

// Whether a weight is rounded so coarsely that 8 bits of a row make it no worse.
bool hasCodesOf4Bits(mlir::Type weight) { return ir::elementTypeOf(weight).isInteger(4); }

// Why rows of codes in the form `activations` do not fit these weights; empty if they do.
std::string misfit(mlir::Type weight, Activations activations) {
  auto codes = mlir::dyn_cast<ir::QuantizedType>(weight);
  if (!codes)
    return "the weight is floats";
  if (mlir::isa<mlir::Float8E5M2Type>(codes.getElementType()))
    return "the weight's codes are e5m2";
  const int64_t block = ir::blockColumnsWithin(codes), columns = ir::columnsOf(codes),
                rows_block = ir::blockColumnsOf(activations);
  if (block != columns && !ir::blocksNest(block, rows_block))
    return "blocks of " + std::to_string(block) + " columns do not fit those of " +
           std::to_string(rows_block);
  return "";
}

// Products of one op that take their rows in one form, and every reason that one of them has.
struct Group {
  llvm::SmallVector<Product> products;
  std::string why;

  void add(const Product &product, const std::string &reason) {
    products.push_back(product);
    if (why.find(reason) == std::string::npos)
      why += (why.empty() ? "" : "; ") + reason;
  }
};

class Legaliser {
public:
  Legaliser(FuncOp function, Activations mode) : mode_(mode), rewriter_(function) {}

  void legalise(Operation *op) {
    if (auto gated = mlir::dyn_cast<ir::GatedLinearOp>(op))
      return legaliseGated(gated);
    if (auto ffn = mlir::dyn_cast<ir::ExpertFfnOp>(op))
      return legaliseExperts(ffn);
    if (auto experts = mlir::dyn_cast<ir::FusedExpertsOp>(op))
      return legaliseExperts(experts);
    if (auto attention = mlir::dyn_cast<ir::AttentionOp>(op))
      return legaliseAttention(attention);
    if (auto attention = mlir::dyn_cast<ir::MlaAttentionOp>(op))
      return legaliseAttention(attention);
    legaliseProducts(op);
  }

  int64_t converted() const { return converted_.size(); }
  int64_t split() const { return split_; }

private:
  // Codes of a weight's own kind: integers with integers.
  Activations formOfCodes(mlir::Type weight) const {
    const bool integers = ir::elementTypeOf(weight).isInteger();
    return integers ? Activations::w8a8_i8 : mode_;
  }

  // Of a weight that neither routes nor makes logits.
  Form usualForm(mlir::Type weight) const {
    if (mode_ == Activations::bf16)
      return {mode_, "asked for"};
    const Activations form = formOfCodes(weight);
    const std::string reason = misfit(weight, form);
    return reason.empty() ? Form{form, "the weight has " + codeName(weight) + " codes"}
                          : Form{Activations::f32, reason};
  }

  // Of experts, whose two halves take their rows in one form.
  Form formFor(mlir::Type gate, mlir::Type down) const {
    const Form first = usualForm(gate), second = usualForm(down);
    if (first.activations == second.activations || first.activations == Activations::f32)
      return first;
    return second.activations == Activations::f32
               ? second
               : Form{Activations::f32, "gate and down have codes of two kinds"};
  }

  Form formFor(const Product &product) const {
    if (isRouter(product))
      return {Activations::f32, "the router: rounding would choose other experts"};
    const mlir::Type weight = product.weight.getType();
    if (isHead(product) && (mode_ == Activations::bf16 || !hasCodesOf4Bits(weight)))
      return {Activations::f32, "the head: rounding would choose other tokens"};
    return usualForm(weight);
  }

  void legaliseGated(ir::GatedLinearOp op) {
    if (!isF32(op.getX()))
      return;
    const Form form = usualForm(op.getGate().getType());
    op.getXMutable().assign(convert(op.getX(), form.activations));
    record(op, form);
  }

  template <typename Experts> void legaliseExperts(Experts op) {
    if (op.getActivations() != Activations::f32)
      return;
    const Form form = formFor(op.getGate().getType(), op.getDown().getType());
    op.setActivations(form.activations);
    record(op, form);
  }

  // A step of one row waits for its keys more than it multiplies them, and what the absorbed form
  // sums is no factor that a model would round.
  template <typename Attention> void legaliseAttention(Attention op) {
    if (ir::rowsOf(op.getQuery()) == 1 || !isF32(op.getQuery()) || isAbsorbed(op))
      return;
    op.getQueryMutable().assign(convert(op.getQuery(), Activations::bf16));
    record(op, {Activations::bf16, "many rows multiply each key"});
  }
  static bool isAbsorbed(ir::AttentionOp) { return false; }
  static bool isAbsorbed(ir::MlaAttentionOp op) {
    return op.getForm() != ir::MlaForm::materialised;
  }

  // Each group of products that want the same rows becomes one op; one group is the usual case.
  void legaliseProducts(Operation *op) {
    const llvm::SmallVector<Product> products = productsOf(op);
    if (products.empty() || !isF32(products.front().x))
      return;
    llvm::MapVector<Activations, Group> groups;
    for (Product product : products) {
      const Form form = formFor(product);
      product.x = convert(product.x, form.activations);
      groups[form.activations].add(product, form.why);
    }
    rewriter_.setInsertionPoint(op);
    for (const auto &[activations, group] : groups)
      record(remake(rewriter_, op->getLoc(), group.products), {activations, group.why});
    rewriter_.eraseOp(op);
    split_ += groups.size() > 1;
  }

  static bool isF32(Value x) {
    auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(x.getType());
    return tensor && tensor.getElementType().isF32();
  }

  // `x` in another form, made once, beside its definition.
  Value convert(Value x, Activations activations) {
    if (activations == Activations::f32)
      return x;
    Value &converted = converted_[{x, static_cast<int>(activations)}];
    if (!converted) {
      mlir::OpBuilder::InsertionGuard guard(rewriter_);
      rewriter_.setInsertionPointAfterValue(x);
      converted = activations == Activations::bf16 ? insertCast(x) : insertQuantize(x, activations);
    }
    return converted;
  }

  Value insertCast(Value x) {
    auto type = mlir::cast<mlir::RankedTensorType>(x.getType()).clone(rewriter_.getBF16Type());
    return ir::CastOp::create(rewriter_, x.getLoc(), type, x);
  }

  Value insertQuantize(Value x, Activations activations) {
    mlir::MLIRContext *context = rewriter_.getContext();
    mlir::Type codes = mlir::Float8E4M3FNType::get(context), scale = rewriter_.getF32Type();
    if (activations == Activations::w8a8_i8)
      codes = rewriter_.getI8Type();
    if (activations == Activations::w8a8_ue8m0)
      scale = mlir::Float8E8M0FNUType::get(context);
    auto type = ir::QuantizedType::get(context, ir::shapeOf(x.getType()), codes, 1,
                                       ir::blockColumnsOf(activations), scale);
    return ir::QuantizeOp::create(rewriter_, x.getLoc(), type, x);
  }

  void record(Operation *op, const Form &form) {
    explain(op, {DEBUG_TYPE, op->getName().stripDialect().str(),
                 stringifyActivations(form.activations).str(), form.why});
  }

  Activations mode_;
  mlir::IRRewriter rewriter_;
  llvm::DenseMap<std::pair<Value, int>, Value> converted_; // of a value, in a form
  int64_t split_ = 0;
};

bool asksForPowersOfTwo(FuncOp function) {
  auto module = function->getParentOfType<mlir::ModuleOp>();
  auto model = module->getAttrOfType<mlir::DictionaryAttr>("lathe.model");
  auto scales = model ? model.getAs<mlir::StringAttr>("activation_scales") : mlir::StringAttr();
  return scales && scales.getValue() == "ue8m0";
}

struct LegaliseActivationsPass : impl::LegaliseActivationsBase<LegaliseActivationsPass> {
  using Base::Base;

  void runOnOperation() override {
    mlir::FailureOr<Activations> mode = chooseMode();
    if (mlir::failed(mode))
      return signalPassFailure();
    if (*mode == Activations::f32)
      return;
    Legaliser legaliser(getOperation(), *mode);
    for (mlir::Block &block : getOperation().getBody())
      for (Operation &op : llvm::make_early_inc_range(block))
        legaliser.legalise(&op);
    numConverted += legaliser.converted();
    numSplit += legaliser.split();
  }

  mlir::FailureOr<Activations> chooseMode() {
    if (activations == "w8a8")
      return asksForPowersOfTwo(getOperation()) ? Activations::w8a8_ue8m0 : Activations::w8a8;
    if (activations == "f32" || activations == "bf16")
      return *ir::symbolizeActivations(activations);
    return getOperation().emitError("activations are '")
           << activations << "'; they should be f32, bf16 or w8a8";
  }
};

} // namespace
} // namespace lathe::passes
