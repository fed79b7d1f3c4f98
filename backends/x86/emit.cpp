// Everything whose size grows with the model's depth is a table of integers here; code grows with
// the number of distinct kernel uses only.
#include "backends/x86/emit.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

#include "runtime/abi/cpu_executable.h"

namespace lathe::x86 {
namespace {

namespace llvmir = mlir::LLVM;

class Emitter {
public:
  explicit Emitter(mlir::MLIRContext &context)
      : builder(&context), location(builder.getUnknownLoc()),
        pointer(llvmir::LLVMPointerType::get(&context)), i64(builder.getI64Type()),
        none(llvmir::LLVMVoidType::get(&context)) {}

  mlir::OwningOpRef<mlir::ModuleOp> emit(const Program &program);

private:
  // What all steps refer to.
  struct Shared {
    llvmir::GlobalOp tasks, labels, constants;
  };
  llvmir::GlobalOp integers(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  llvmir::GlobalOp text(llvm::StringRef name, llvm::StringRef value);
  llvmir::GlobalOp bytes(llvm::StringRef name, llvm::ArrayRef<uint8_t> value);
  llvmir::GlobalOp aggregate(llvm::StringRef name, mlir::Type type, llvmir::Linkage linkage,
                             llvm::function_ref<mlir::Value()> value);
  // An array of the addresses of functions or globals.
  template <typename Symbols> llvmir::GlobalOp addresses(llvm::StringRef name, Symbols &symbols) {
    auto type = llvmir::LLVMArrayType::get(pointer, symbols.size());
    return aggregate(name, type, llvmir::Linkage::Internal, [&] {
      return structure(type, llvm::map_to_vector(symbols, [&](auto of) { return address(of); }));
    });
  }
  llvmir::LLVMFuncOp declareKernel(llvm::StringRef name);
  llvmir::LLVMFuncOp emitTask(size_t index, const KernelUse &use);
  llvmir::GlobalOp emitTaskTable(const Program &program);
  llvmir::GlobalOp emitLabels(const Program &program);
  llvmir::LLVMFuncOp emitStep(const StepProgram &step, const Shared &shared);
  void emitExecutable(llvm::ArrayRef<llvmir::LLVMFuncOp> steps);
  mlir::Value address(llvmir::GlobalOp global) {
    return llvmir::AddressOfOp::create(builder, location, global);
  }
  mlir::Value address(llvmir::LLVMFuncOp function) {
    return llvmir::AddressOfOp::create(builder, location, function);
  }
  mlir::Value constant(mlir::Type type, int64_t value) {
    return llvmir::ConstantOp::create(builder, location, type, builder.getIntegerAttr(type, value));
  }
  mlir::Value structure(mlir::Type type, llvm::ArrayRef<mlir::Value> fields);

  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Type pointer, i64, none;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvmir::LLVMFuncOp run;
};

llvmir::GlobalOp Emitter::integers(llvm::StringRef name, llvm::ArrayRef<int64_t> values) {
  // An array of no elements has no address worth taking: one zero stands in.
  llvm::SmallVector<int64_t> padded(values.begin(), values.end());
  if (padded.empty())
    padded.push_back(0);
  auto type = llvmir::LLVMArrayType::get(i64, padded.size());
  return llvmir::GlobalOp::create(builder, location, type, /*isConstant=*/true,
                                  llvmir::Linkage::Internal, name, builder.getI64TensorAttr(padded),
                                  /*alignment=*/64);
}

llvmir::GlobalOp Emitter::text(llvm::StringRef name, llvm::StringRef value) {
  std::string terminated = value.str() + '\0';
  auto type = llvmir::LLVMArrayType::get(builder.getI8Type(), terminated.size());
  return llvmir::GlobalOp::create(builder, location, type, true, llvmir::Linkage::Internal, name,
                                  builder.getStringAttr(terminated));
}

llvmir::GlobalOp Emitter::bytes(llvm::StringRef name, llvm::ArrayRef<uint8_t> value) {
  std::string padded(value.begin(), value.end());
  padded.resize(std::max<size_t>(padded.size(), 64));
  auto type = llvmir::LLVMArrayType::get(builder.getI8Type(), padded.size());
  return llvmir::GlobalOp::create(builder, location, type, true, llvmir::Linkage::Internal, name,
                                  builder.getStringAttr(padded), 64);
}

llvmir::GlobalOp Emitter::aggregate(llvm::StringRef name, mlir::Type type, llvmir::Linkage linkage,
                                    llvm::function_ref<mlir::Value()> value) {
  auto global =
      llvmir::GlobalOp::create(builder, location, type, true, linkage, name, mlir::Attribute());
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&global.getInitializerRegion());
  llvmir::ReturnOp::create(builder, location, value());
  return global;
}

mlir::Value Emitter::structure(mlir::Type type, llvm::ArrayRef<mlir::Value> fields) {
  mlir::Value result = llvmir::UndefOp::create(builder, location, type);
  for (auto [index, field] : llvm::enumerate(fields))
    result = llvmir::InsertValueOp::create(builder, location, result, field, index);
  return result;
}

llvmir::LLVMFuncOp Emitter::declareKernel(llvm::StringRef name) {
  std::string symbol = ("lathe_x86_" + name).str();
  if (auto known = module->lookupSymbol<llvmir::LLVMFuncOp>(symbol))
    return known;
  auto type = llvmir::LLVMFunctionType::get(none, {pointer, pointer, pointer, i64, i64});
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module->getBody());
  return llvmir::LLVMFuncOp::create(builder, location, symbol, type);
}

// void task(frame, operands, begin, end) { kernel(frame, operands, &params, begin, end); }
llvmir::LLVMFuncOp Emitter::emitTask(size_t index, const KernelUse &use) {
  llvmir::LLVMFuncOp kernel = declareKernel(use.kernel);
  llvmir::GlobalOp params = integers(("params_" + llvm::Twine(index)).str(), use.params);
  auto type = llvmir::LLVMFunctionType::get(none, {pointer, pointer, i64, i64});
  auto task = llvmir::LLVMFuncOp::create(builder, location,
                                         ("task_" + llvm::Twine(index) + "_" + use.kernel).str(),
                                         type, llvmir::Linkage::Internal);
  mlir::OpBuilder::InsertionGuard guard(builder);
  mlir::Block *body = task.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  llvmir::CallOp::create(builder, location, kernel,
                         mlir::ValueRange{body->getArgument(0), body->getArgument(1),
                                          address(params), body->getArgument(2),
                                          body->getArgument(3)});
  llvmir::ReturnOp::create(builder, location, mlir::ValueRange());
  return task;
}

llvmir::GlobalOp Emitter::emitTaskTable(const Program &program) {
  llvm::SmallVector<llvmir::LLVMFuncOp> tasks;
  for (auto [index, use] : llvm::enumerate(program.kernels))
    tasks.push_back(emitTask(index, use));
  return addresses("tasks", tasks);
}

llvmir::GlobalOp Emitter::emitLabels(const Program &program) {
  llvm::SmallVector<llvmir::GlobalOp> labels;
  for (auto [index, use] : llvm::enumerate(program.kernels))
    labels.push_back(text(("label_" + llvm::Twine(index)).str(), use.label));
  return addresses("labels", labels);
}

// void step(call) { lathe_x86_run(call, &table); } with the table of kernels/step.h
llvmir::LLVMFuncOp Emitter::emitStep(const StepProgram &step, const Shared &shared) {
  llvm::SmallVector<int64_t> regions, operands;
  for (const RegionUse &region : step.regions) {
    regions.append({region.kernel, static_cast<int64_t>(operands.size()), region.items,
                    region.rows_per_item, region.row_factor, region.row_source, region.serial,
                    region.joined});
    operands.append(region.operands.begin(), region.operands.end());
  }
  llvmir::GlobalOp regionTable = integers("regions_" + step.name, regions);
  llvmir::GlobalOp operandTable = integers("operands_" + step.name, operands);
  auto tableType = llvmir::LLVMStructType::getLiteral(
      builder.getContext(), {pointer, pointer, i64, pointer, pointer, pointer});
  llvmir::GlobalOp table =
      aggregate("table_" + step.name, tableType, llvmir::Linkage::Internal, [&] {
        return structure(tableType, {address(shared.tasks), address(regionTable),
                                     constant(i64, step.regions.size()), address(operandTable),
                                     address(shared.constants), address(shared.labels)});
      });
  auto function = llvmir::LLVMFuncOp::create(builder, location, "step_" + step.name,
                                             llvmir::LLVMFunctionType::get(none, {pointer}),
                                             llvmir::Linkage::Internal);
  mlir::OpBuilder::InsertionGuard guard(builder);
  mlir::Block *body = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  llvmir::CallOp::create(builder, location, run,
                         mlir::ValueRange{body->getArgument(0), address(table)});
  llvmir::ReturnOp::create(builder, location, mlir::ValueRange());
  return function;
}

void Emitter::emitExecutable(llvm::ArrayRef<llvmir::LLVMFuncOp> steps) {
  mlir::MLIRContext *context = builder.getContext();
  mlir::Type i32 = builder.getI32Type();
  auto entryType = llvmir::LLVMStructType::getLiteral(context, {pointer, pointer});
  auto tableType = llvmir::LLVMArrayType::get(entryType, steps.size());
  llvm::SmallVector<llvmir::GlobalOp> names;
  for (llvmir::LLVMFuncOp step : steps)
    names.push_back(
        text(("name_of_" + step.getName()).str(), step.getName().drop_front(sizeof("step_") - 1)));
  auto entries = aggregate("entries", tableType, llvmir::Linkage::Internal, [&] {
    llvm::SmallVector<mlir::Value> fields;
    for (auto [name, step] : llvm::zip(names, steps))
      fields.push_back(structure(entryType, {address(name), address(step)}));
    return structure(tableType, fields);
  });
  auto type = llvmir::LLVMStructType::getLiteral(context, {i64, i32, i32, pointer});
  aggregate(LATHE_CPU_EXECUTABLE_SYMBOL, type, llvmir::Linkage::External, [&] {
    return structure(type, {constant(i64, sizeof(lathe_cpu_executable)),
                            constant(i32, LATHE_CPU_EXECUTABLE_VERSION),
                            constant(i32, steps.size()), address(entries)});
  });
}

mlir::OwningOpRef<mlir::ModuleOp> Emitter::emit(const Program &program) {
  module = mlir::ModuleOp::create(location);
  builder.setInsertionPointToEnd(module->getBody());
  auto runType = llvmir::LLVMFunctionType::get(none, {pointer, pointer});
  run = llvmir::LLVMFuncOp::create(builder, location, "lathe_x86_run", runType);
  Shared shared = {emitTaskTable(program), emitLabels(program),
                   bytes("constants", program.constants)};
  llvm::SmallVector<llvmir::LLVMFuncOp> steps;
  for (const StepProgram &step : program.steps)
    steps.push_back(emitStep(step, shared));
  emitExecutable(steps);
  return std::move(module);
}

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> emitProgram(mlir::MLIRContext &context, const Program &program) {
  context.loadDialect<llvmir::LLVMDialect>();
  return Emitter(context).emit(program);
}

} // namespace lathe::x86
