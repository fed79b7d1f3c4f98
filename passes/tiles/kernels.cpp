#include "passes/tiles/kernels.h"

#include "llvm/ADT/TypeSwitch.h"

#include "ir/lathe/verify.h"
#include "passes/products.h"

namespace lathe::passes {

namespace {

using mlir::Value;
using mlir::func::FuncOp;

mlir::RankedTensorType tileType(int64_t rows, int64_t columns, mlir::Type element) {
  return mlir::RankedTensorType::get({rows, columns}, element);
}

// The tensor that a value is columns of, and the first of them.
std::pair<Value, int64_t> behindSlices(Value rows) {
  int64_t offset = 0;
  while (auto slice = rows.getDefiningOp<ir::SliceOp>()) {
    offset += slice.getOffset();
    rows = slice.getInput();
  }
  return {rows, offset};
}

// Where kernels go, and how large their tiles are at most.
struct Place {
  mlir::RewriterBase &rewriter;
  mlir::SymbolTable &symbols;
  tile::Size size;
};

// A kernel in the making: what it is given is added as it is asked for.
class Kernel {
public:
  // Makes tiles of `result`, which keeps its uses until `finish`.
  Kernel(const Place &place, Value result, int64_t columns)
      : rewriter_(place.rewriter), result_(result), columns_(columns) {
    const int64_t rows = ir::rowsOf(result);
    rows_ = mlir::ShapedType::isDynamic(rows) ? place.size.rows : std::min(place.size.rows, rows);
    llvm::StringRef name = result.getDefiningOp()->getName().stripDialect();
    function_ = FuncOp::create(result.getLoc(), name, rewriter_.getFunctionType({}, {}));
    function_.setPrivate();
    function_->setAttr(tile::kSize, rewriter_.getDenseI64ArrayAttr({rows_, columns_}));
    place.symbols.insert(function_); // and makes the name unique
    rewriter_.setInsertionPointToStart(function_.addEntryBlock());
  }

  Value tile(Value rows) { return load(rows, columns_, false); }
  Value strip(Value rows) { return load(rows, ir::columnsOf(rows), true); }

  Value row(Value vector, bool whole = false) {
    const int64_t columns = whole ? ir::rowsOf(vector) : columns_;
    return make<tile::LoadRowOp>(tileType(1, columns, f32()), given(vector), whole);
  }

  Value weight(Value matrix) {
    const bool is_codes = mlir::isa<ir::QuantizedType>(matrix.getType());
    mlir::Type element = is_codes ? f32() : ir::elementTypeOf(matrix.getType());
    return make<tile::LoadWeightOp>(tileType(columns_, ir::columnsOf(matrix), element),
                                    given(matrix));
  }

  Value matmul(Value x, Value weight) {
    return make<tile::MatmulOp>(tileType(rows_, columns_, f32()), x, weight);
  }
  Value add(Value lhs, Value rhs) { return make<tile::AddOp>(lhs.getType(), lhs, rhs); }
  Value mul(Value lhs, Value rhs) { return make<tile::MulOp>(lhs.getType(), lhs, rhs); }
  Value silu(Value input) { return make<tile::SiluOp>(input.getType(), input); }
  Value rsqrt(Value input) { return make<tile::RsqrtOp>(input.getType(), input); }
  Value sum(Value input) { return make<tile::SumOp>(tileType(rows_, 1, f32()), input); }
  Value scale(Value input, float factor, float summand) {
    return make<tile::ScaleOp>(input.getType(), input, rewriter_.getF32FloatAttr(factor),
                               rewriter_.getF32FloatAttr(summand));
  }
  Value convert(Value input, mlir::Type element) {
    return make<tile::ConvertOp>(tileType(rows_, columns_, element), input);
  }

  // The tile is what the kernel returns; its launch takes the place of the result.
  tile::LaunchOp finish(Value tile) {
    mlir::func::ReturnOp::create(rewriter_, result_.getLoc(), tile);
    function_.setType(
        rewriter_.getFunctionType(mlir::ValueRange(inputs_).getTypes(), tile.getType()));
    rewriter_.setInsertionPoint(result_.getDefiningOp());
    auto launch = tile::LaunchOp::create(rewriter_, result_.getLoc(), result_.getType(),
                                         function_.getName(), inputs_);
    rewriter_.replaceAllUsesWith(result_, launch.getResult());
    return launch;
  }

private:
  template <typename Op, typename... Arguments>
  Value make(mlir::Type type, Arguments &&...arguments) {
    return Op::create(rewriter_, result_.getLoc(), type, std::forward<Arguments>(arguments)...);
  }

  mlir::Type f32() { return rewriter_.getF32Type(); }

  Value load(Value rows, int64_t columns, bool strip) {
    auto [tensor, offset] = behindSlices(rows);
    return make<tile::LoadOp>(tileType(rows_, columns, ir::elementTypeOf(tensor.getType())),
                              given(tensor), strip, offset);
  }

  // The kernel's argument for a value from outside.
  Value given(Value outside) {
    const auto known = llvm::find(inputs_, outside);
    if (known != inputs_.end())
      return function_.front().getArgument(known - inputs_.begin());
    inputs_.push_back(outside);
    return function_.front().addArgument(outside.getType(), outside.getLoc());
  }

  mlir::RewriterBase &rewriter_;
  Value result_;
  int64_t columns_, rows_;
  FuncOp function_;
  llvm::SmallVector<Value> inputs_;
};

int64_t columnsWithin(Value result, tile::Size size) {
  return std::min(size.columns, ir::columnsOf(result));
}

Value product(Kernel &kernel, Value strip, Value weight, Value bias) {
  Value sums = kernel.matmul(strip, kernel.weight(weight));
  return bias ? kernel.add(sums, kernel.row(bias)) : sums;
}

tile::LaunchOp lowerProduct(const Place &place, const Product &made) {
  Kernel kernel(place, made.result, columnsWithin(made.result, place.size));
  return kernel.finish(product(kernel, kernel.strip(made.x), made.weight, made.bias));
}

Value gated(Kernel &kernel, ir::GatedLinearOp op) {
  Value strip = kernel.strip(op.getX());
  Value gate = kernel.silu(product(kernel, strip, op.getGate(), op.getGateBias()));
  return kernel.mul(gate, product(kernel, strip, op.getUp(), op.getUpBias()));
}

Value normed(Kernel &kernel, ir::RmsNormOp op) {
  Value x = kernel.tile(op.getInput());
  const float columns = static_cast<float>(ir::rowsOf(op.getScale()));
  Value mean =
      kernel.scale(kernel.sum(kernel.mul(x, x)), 1 / columns, op.getEpsilon().convertToFloat());
  Value unit = kernel.mul(x, kernel.rsqrt(mean));
  return kernel.mul(unit, kernel.row(op.getScale(), true));
}

// The tile that an op of one result makes.
Value tileOf(Kernel &kernel, mlir::Operation *op) {
  return llvm::TypeSwitch<mlir::Operation *, Value>(op)
      .Case([&](ir::GatedLinearOp gate) { return gated(kernel, gate); })
      .Case([&](ir::RmsNormOp norm) { return normed(kernel, norm); })
      .Case([&](ir::AddOp add) {
        Value lhs = kernel.tile(add.getLhs());
        return kernel.add(lhs, kernel.tile(add.getRhs()));
      })
      .Case([&](ir::ScaleOp scale) {
        return kernel.scale(kernel.tile(scale.getInput()), scale.getFactor().convertToFloat(), 0);
      })
      .Case([&](ir::SwigluOp swiglu) {
        Value gate = kernel.silu(kernel.tile(swiglu.getGate()));
        return kernel.mul(gate, kernel.tile(swiglu.getUp()));
      })
      .Case([&](ir::CastOp cast) {
        return kernel.convert(kernel.tile(cast.getInput()), cast.getType().getElementType());
      });
}

} // namespace

bool hasFormInTiles(mlir::Operation *op) {
  if (mlir::isa<ir::LinearOp, ir::ScaledMatmulOp, ir::FusedLinearOp, ir::GatedLinearOp>(op))
    return !mlir::isa<ir::QuantizedType>(op->getOperand(0).getType()); // x
  return mlir::isa<ir::RmsNormOp, ir::AddOp, ir::ScaleOp, ir::SwigluOp, ir::CastOp>(op);
}

llvm::SmallVector<tile::LaunchOp> lowerToTiles(mlir::RewriterBase &rewriter,
                                               mlir::SymbolTable &symbols, mlir::Operation *op,
                                               tile::Size size) {
  const Place place{rewriter, symbols, size};
  llvm::SmallVector<tile::LaunchOp> launches;
  for (const Product &made : productsOf(op))
    launches.push_back(lowerProduct(place, made));
  if (launches.empty()) {
    auto norm = mlir::dyn_cast<ir::RmsNormOp>(op);
    Value result = op->getResult(0);
    Kernel kernel(place, result, norm ? ir::rowsOf(norm.getScale()) : columnsWithin(result, size));
    launches.push_back(kernel.finish(tileOf(kernel, op)));
  }
  rewriter.eraseOp(op);
  return launches;
}

} // namespace lathe::passes
