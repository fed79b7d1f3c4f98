#include "backends/reference/tile.h"

#include <algorithm>
#include <cmath>

#include "llvm/ADT/TypeSwitch.h"

#include "backends/reference/linear.h"
#include "backends/reference/quantization.h"

namespace lathe::reference {

namespace {

using mlir::failure;
using mlir::FailureOr;
using mlir::func::FuncOp;

Tensor emptyTile(mlir::Value tile) {
  return Tensor(mlir::cast<mlir::RankedTensorType>(tile.getType()).getShape().vec());
}

// Codes as what they stand for; anything else as it is.
Value floats(const Value &value) {
  const Codes *codes = as<Codes>(value);
  return codes ? share(dequantize(*codes)) : value;
}

// `tensor` from (row, column) on, as far as it goes; zeros behind it.
Tensor window(const Tensor &tensor, int64_t row, int64_t column, Tensor tile) {
  const int64_t rows = std::min(tile.rows(), tensor.rows() - row);
  const int64_t columns = std::min(tile.columns(), tensor.columns() - column);
  for (int64_t r = 0; r < rows && columns > 0; ++r)
    std::copy_n(tensor.row(row + r) + column, columns, tile.row(r));
  return tile;
}

Tensor asRow(const Tensor &vector) { return Tensor({1, vector.shape[0]}, vector.values); }

template <typename Function> Tensor mapped(Tensor tile, Function function) {
  for (float &value : tile.values)
    value = static_cast<float>(function(double{value}));
  return tile;
}

// An extent of rhs that is 1 stands for all.
template <typename Function> Tensor combined(Tensor lhs, const Tensor &rhs, Function function) {
  for (int64_t r = 0; r < lhs.rows(); ++r)
    for (int64_t c = 0; c < lhs.columns(); ++c) {
      const float other = rhs.row(rhs.rows() == 1 ? 0 : r)[rhs.columns() == 1 ? 0 : c];
      lhs.row(r)[c] = static_cast<float>(function(double{lhs.row(r)[c]}, double{other}));
    }
  return lhs;
}

Tensor sums(const Tensor &tile) {
  Tensor result({tile.rows(), 1});
  for (int64_t r = 0; r < tile.rows(); ++r) {
    double sum = 0;
    for (int64_t c = 0; c < tile.columns(); ++c)
      sum += tile.row(r)[c];
    result.values[r] = static_cast<float>(sum);
  }
  return result;
}

// One point of the grid.
class Point {
public:
  Point(FuncOp kernel, llvm::ArrayRef<Value> inputs, int64_t row, int64_t column)
      : row_(row), column_(column) {
    for (auto [argument, input] : llvm::zip_equal(kernel.getArguments(), inputs))
      values_[argument] = input;
  }

  // The tile that the kernel returns.
  FailureOr<Tensor> run(mlir::Block &body) {
    for (mlir::Operation &op : body.without_terminator()) {
      std::optional<Tensor> tile = evaluate(&op);
      if (!tile)
        return op.emitOpError("has no meaning on tiles");
      values_[op.getResult(0)] = share(*std::move(tile));
    }
    return get(body.getTerminator()->getOperand(0));
  }

private:
  const Tensor &get(mlir::Value value) { return *as<Tensor>(values_[value]); }

  Tensor load(tile::LoadOp op) {
    const int64_t column = op.getOffset() + (op.getStrip() ? 0 : column_);
    return window(get(op.getInput()), row_, column, emptyTile(op));
  }

  std::optional<Tensor> evaluate(mlir::Operation *op) {
    using Result = std::optional<Tensor>;
    return llvm::TypeSwitch<mlir::Operation *, Result>(op)
        .Case([&](tile::LoadOp o) { return load(o); })
        .Case([&](tile::LoadRowOp o) {
          return window(asRow(get(o.getInput())), 0, o.getWhole() ? 0 : column_, emptyTile(o));
        })
        .Case([&](tile::LoadWeightOp o) {
          return window(get(o.getWeight()), column_, 0, emptyTile(o));
        })
        .Case(
            [&](tile::MatmulOp o) { return linear(&get(o.getX()), &get(o.getWeight()), nullptr); })
        .Case([&](tile::AddOp o) {
          return combined(get(o.getLhs()), get(o.getRhs()), std::plus<double>());
        })
        .Case([&](tile::MulOp o) {
          return combined(get(o.getLhs()), get(o.getRhs()), std::multiplies<double>());
        })
        .Case([&](tile::ScaleOp o) {
          const double factor = o.getFactor().convertToFloat();
          const double summand = o.getSummand().convertToFloat();
          return mapped(get(o.getInput()), [&](double x) { return x * factor + summand; });
        })
        .Case([&](tile::SumOp o) { return sums(get(o.getInput())); })
        .Case([&](tile::RsqrtOp o) {
          return mapped(get(o.getInput()), [](double x) { return 1 / std::sqrt(x); });
        })
        .Case([&](tile::SiluOp o) {
          return mapped(get(o.getInput()), [](double x) { return x / (1 + std::exp(-x)); });
        })
        .Case([&](tile::ConvertOp o) {
          return cast(get(o.getInput()), elementOf(o.getType().getElementType()));
        })
        .Default([](mlir::Operation *) -> Result { return std::nullopt; });
  }

  llvm::DenseMap<mlir::Value, Value> values_;
  int64_t row_, column_;
};

// The rows of what the kernel loads as rows.
FailureOr<int64_t> rowsOf(tile::LaunchOp launch, FuncOp kernel, llvm::ArrayRef<Value> inputs) {
  int64_t rows = launch.getType().getShape()[0];
  for (auto load : kernel.front().getOps<tile::LoadOp>()) {
    const unsigned input = mlir::cast<mlir::BlockArgument>(load.getInput()).getArgNumber();
    const int64_t own = as<Tensor>(inputs[input])->rows();
    if (mlir::ShapedType::isDynamic(rows))
      rows = own;
    if (own != rows)
      return launch.emitOpError("gives the kernel ") << rows << " and " << own << " rows";
  }
  if (mlir::ShapedType::isDynamic(rows))
    return launch.emitOpError("has no rows: its kernel loads none");
  return rows;
}

// The part of a tile that is in the result.
void store(const Tensor &tile, int64_t row, int64_t column, Tensor &result) {
  const int64_t rows = std::min(tile.rows(), result.rows() - row);
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(tile.row(r), std::min(tile.columns(), result.columns() - column),
                result.row(row + r) + column);
}

} // namespace

FailureOr<Values> evaluateLaunch(tile::LaunchOp launch, llvm::ArrayRef<Value> operands) {
  FuncOp kernel = tile::kernelOf(launch);
  Values inputs;
  for (const Value &operand : operands)
    inputs.push_back(floats(operand));
  FailureOr<int64_t> rows = rowsOf(launch, kernel, inputs);
  if (mlir::failed(rows))
    return failure();
  Tensor result({*rows, launch.getType().getShape()[1]});
  const tile::Size size = *tile::sizeOf(kernel);
  for (int64_t row = 0; row < *rows; row += size.rows)
    for (int64_t column = 0; column < result.columns(); column += size.columns) {
      auto made = Point(kernel, inputs, row, column).run(kernel.front());
      if (mlir::failed(made))
        return failure();
      store(*made, row, column, result);
    }
  return Values{share(std::move(result))};
}

} // namespace lathe::reference
