// A program of the dialect as the plain structs of runtime/abi/plugin.h, for compile halves that
// know no MLIR.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

#include "ir/lathe/dialect.h"
#include "runtime/abi/plugin.h"

namespace lathe::plugin {

// Bytes of a weight as the program's type of it says: `scales` false: elements or codes, true:
// scales; both row-major. `destination` takes `size` bytes from `offset` on. NULL, or an error that
// the caller owns.
using ReadConstant = std::function<lathe_error *(ir::WeightOp weight, bool scales, uint64_t offset,
                                                 uint64_t size, void *destination)>;

// Borrows the module, which must not change while the view lives. Not movable: what it shows points
// into it.
class ProgramView {
public:
  // The functions of `module`, which have a body of one block, of ops of the dialects `lathe` and
  // `tile` only. Kernels are shown by their launches. `bytecode` is shown as it is.
  ProgramView(mlir::ModuleOp module, std::string bytecode, ReadConstant read);
  ProgramView(const ProgramView &) = delete;
  ProgramView &operator=(const ProgramView &) = delete;

  const lathe_program *program() const { return &program_; }
  // The picture of one op of the module.
  const lathe_op *op(mlir::Operation *op) const { return ops_.lookup(op); }
  // The weight that a constant stands for.
  ir::WeightOp weight(uint32_t constant) const { return weights_[constant]; }

private:
  // Pointers to things that never move, as an array.
  template <typename Thing> struct Pointers {
    std::vector<const Thing *> items;
    const Thing *const *data() const { return items.data(); }
    size_t size() const { return items.size(); }
  };

  const lathe_function *show(mlir::func::FuncOp function);
  const lathe_op *show(mlir::Operation &op);
  const lathe_type *show(mlir::Type type, mlir::Value value);
  const lathe_value *show(mlir::Value value);
  const lathe_operand *named(llvm::StringRef name, mlir::Value value);
  const lathe_constant *constant(ir::WeightOp weight);
  void addAttributes(mlir::Operation &op, lathe_op &shown);
  void addAttribute(std::string name, mlir::Attribute attribute,
                    std::vector<const lathe_attribute *> &all);
  lathe_attribute &newAttribute(std::string name, uint32_t kind,
                                std::vector<const lathe_attribute *> &all);
  lathe_string keep(std::string text);
  template <typename Thing>
  const Pointers<Thing> &keep(std::vector<const Thing *> items, std::deque<Pointers<Thing>> &place);

  ReadConstant read_; // one caller at a time
  std::mutex read_mutex_;
  std::string bytecode_;
  lathe_program program_ = {};
  std::deque<std::string> texts_;
  std::deque<std::vector<int64_t>> integers_;
  std::deque<std::vector<double>> reals_;
  std::deque<lathe_type> types_;
  std::deque<lathe_value> values_;
  std::deque<lathe_operand> operands_;
  std::deque<lathe_attribute> attributes_;
  std::deque<lathe_constant> constants_;
  std::deque<lathe_op> op_structs_;
  std::deque<lathe_function> functions_;
  std::deque<Pointers<lathe_operand>> operand_arrays_;
  std::deque<Pointers<lathe_attribute>> attribute_arrays_;
  std::deque<Pointers<lathe_op>> op_arrays_;
  std::deque<Pointers<lathe_function>> function_arrays_;
  std::deque<Pointers<lathe_constant>> constant_arrays_;
  llvm::DenseMap<mlir::Value, const lathe_value *> shown_values_; // of the function at hand
  llvm::DenseMap<mlir::Operation *, const lathe_op *> ops_;
  llvm::StringMap<const lathe_function *> kernels_; // by their names
  // Equal weights of several functions are one constant.
  llvm::MapVector<mlir::DictionaryAttr, const lathe_constant *> known_constants_;
  std::vector<ir::WeightOp> weights_;
};

} // namespace lathe::plugin
