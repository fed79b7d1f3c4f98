#include "backends/plugin/program_view.h"

#include <algorithm>

#include "llvm/ADT/TypeSwitch.h"

#include "ir/tile/dialect.h"
#include "passes/explain.h"
#include "passes/row_source.h"
#include "passes/step.h"

namespace lathe::plugin {
namespace {

template <typename Struct> Struct sized() {
  Struct value = {};
  value.struct_size = sizeof value;
  return value;
}

uint32_t elementOf(mlir::Type type) {
  return llvm::TypeSwitch<mlir::Type, uint32_t>(type)
      .Case([](mlir::Float32Type) { return LATHE_ELEMENT_F32; })
      .Case([](mlir::Float16Type) { return LATHE_ELEMENT_F16; })
      .Case([](mlir::BFloat16Type) { return LATHE_ELEMENT_BF16; })
      .Case([](mlir::Float8E4M3FNType) { return LATHE_ELEMENT_E4M3; })
      .Case([](mlir::Float8E5M2Type) { return LATHE_ELEMENT_E5M2; })
      .Case([](mlir::Float8E8M0FNUType) { return LATHE_ELEMENT_E8M0; })
      .Case([](mlir::IntegerType integer) {
        return integer.getWidth() == 32  ? LATHE_ELEMENT_I32
               : integer.getWidth() == 8 ? LATHE_ELEMENT_I8
               : integer.getWidth() == 4 ? LATHE_ELEMENT_I4
                                         : LATHE_ELEMENT_NONE;
      })
      .Default([](mlir::Type) { return LATHE_ELEMENT_NONE; });
}

// What an op says of the program's meaning; what passes note on ops is not of it.
std::vector<std::pair<std::string, mlir::Attribute>> meaningOf(mlir::Operation &op) {
  std::vector<std::pair<std::string, mlir::Attribute>> attributes;
  for (mlir::StringAttr name : op.getName().getAttributeNames())
    if (std::optional<mlir::Attribute> value = op.getInherentAttr(name.getValue());
        value && *value && name.getValue() != "operandSegmentSizes")
      attributes.emplace_back(name.str(), *value);
  llvm::sort(attributes, llvm::less_first());
  return attributes;
}

std::string nameOfResult(mlir::func::FuncOp function, unsigned index) {
  if (auto name = function.getResultAttrOfType<mlir::StringAttr>(index, "lathe.name"))
    return name.str();
  return index == 0 ? "logits" : "result" + std::to_string(index);
}

} // namespace

lathe_string ProgramView::keep(std::string text) {
  const std::string &kept = texts_.emplace_back(std::move(text));
  return {kept.data(), kept.size()};
}

template <typename Thing>
const ProgramView::Pointers<Thing> &ProgramView::keep(std::vector<const Thing *> items,
                                                      std::deque<Pointers<Thing>> &place) {
  return place.emplace_back(Pointers<Thing>{std::move(items)});
}

ProgramView::ProgramView(mlir::ModuleOp module, std::string bytecode, ReadConstant read)
    : read_(std::move(read)), bytecode_(std::move(bytecode)) {
  std::vector<const lathe_function *> functions;
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (tile::sizeOf(function))
      kernels_[function.getName()] = show(function);
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (!tile::sizeOf(function))
      functions.push_back(show(function));
  std::vector<const lathe_constant *> constants;
  for (auto &[key, constant] : known_constants_)
    constants.push_back(constant);
  const auto &function_array = keep(std::move(functions), function_arrays_);
  const auto &constant_array = keep(std::move(constants), constant_arrays_);
  program_ = sized<lathe_program>();
  program_.functions = function_array.data();
  program_.function_count = function_array.size();
  program_.constants = constant_array.data();
  program_.constant_count = constant_array.size();
  program_.bytecode = bytecode_.data();
  program_.bytecode_size = bytecode_.size();
  program_.context = this;
  program_.read = [](void *context, lathe_read_args *args) {
    auto &view = *static_cast<ProgramView *>(context);
    std::lock_guard<std::mutex> lock(view.read_mutex_);
    return view.read_(view.weight(args->constant->id), args->scales != 0, args->offset, args->size,
                      args->destination);
  };
}

const lathe_function *ProgramView::show(mlir::func::FuncOp function) {
  shown_values_.clear();
  std::vector<const lathe_operand *> inputs, results;
  for (auto [index, argument] : llvm::enumerate(function.getArguments()))
    inputs.push_back(named(passes::argumentName(function, index), argument));
  std::vector<const lathe_op *> ops;
  for (mlir::Operation &op : function.getBody().front().without_terminator())
    ops.push_back(show(op));
  mlir::Operation *end = function.getBody().front().getTerminator();
  for (auto [index, value] : llvm::enumerate(end->getOperands()))
    results.push_back(named(nameOfResult(function, index), value));
  const auto &input_array = keep(std::move(inputs), operand_arrays_);
  const auto &op_array = keep(std::move(ops), op_arrays_);
  const auto &result_array = keep(std::move(results), operand_arrays_);
  lathe_function &shown = functions_.emplace_back(sized<lathe_function>());
  shown.name = keep(function.getName().str());
  if (std::optional<tile::Size> size = tile::sizeOf(function)) {
    shown.tile_rows = size->rows;
    shown.tile_columns = size->columns;
  } else {
    shown.max_rows = passes::maxRows(function);
  }
  shown.inputs = input_array.data();
  shown.input_count = input_array.size();
  shown.ops = op_array.data();
  shown.op_count = op_array.size();
  shown.results = result_array.data();
  shown.result_count = result_array.size();
  return &shown;
}

const lathe_op *ProgramView::show(mlir::Operation &op) {
  std::vector<const lathe_operand *> operands, results;
  auto parts = mlir::cast<ir::NamedParts>(op);
  for (const ir::NamedPart &part : parts.namedOperands())
    operands.push_back(named(part.name, part.value));
  for (const ir::NamedPart &part : parts.namedResults())
    results.push_back(named(part.name, part.value));
  const auto &operand_array = keep(std::move(operands), operand_arrays_);
  const auto &result_array = keep(std::move(results), operand_arrays_);
  lathe_op &shown = op_structs_.emplace_back(sized<lathe_op>());
  shown.name = keep(op.getName().getStringRef().str());
  shown.version = 1; // no op has changed since it was first published
  shown.location = keep(passes::placeInModel(op.getLoc()));
  shown.operands = operand_array.data();
  shown.operand_count = operand_array.size();
  shown.results = result_array.data();
  shown.result_count = result_array.size();
  if (auto weight = mlir::dyn_cast<ir::WeightOp>(op))
    shown.constant = constant(weight);
  else if (auto launch = mlir::dyn_cast<tile::LaunchOp>(op))
    shown.kernel = kernels_.lookup(launch.getKernel());
  else
    addAttributes(op, shown);
  ops_[&op] = &shown;
  return &shown;
}

const lathe_operand *ProgramView::named(llvm::StringRef name, mlir::Value value) {
  lathe_operand &operand = operands_.emplace_back(sized<lathe_operand>());
  operand.name = keep(name.str());
  operand.value = show(value);
  return &operand;
}

const lathe_value *ProgramView::show(mlir::Value value) {
  if (const lathe_value *known = shown_values_.lookup(value))
    return known;
  lathe_value &shown = values_.emplace_back(sized<lathe_value>());
  shown.id = static_cast<uint32_t>(shown_values_.size());
  shown.is_unused = value.use_empty() ? 1 : 0;
  shown.type = show(value.getType(), value);
  shown_values_[value] = &shown;
  return &shown;
}

// A kernel's rows are those of whatever launches it.
static bool isOfKernel(mlir::Value value) {
  auto function = mlir::dyn_cast<mlir::func::FuncOp>(value.getParentRegion()->getParentOp());
  return function && tile::sizeOf(function);
}

static void showCache(mlir::Type type, lathe_type &shown) {
  if (auto latent = mlir::dyn_cast<ir::LatentCacheType>(type)) {
    shown.kind = LATHE_TYPE_LATENT_CACHE;
    shown.element = elementOf(latent.getElement());
    shown.slots = latent.getSlots();
    shown.max_context = latent.getMaxContext();
    shown.kv_lora_rank = latent.getKvLoraRank();
    shown.rope_dim = latent.getRopeDim();
    return;
  }
  auto cache = mlir::cast<ir::KvCacheType>(type);
  shown.kind = LATHE_TYPE_KV_CACHE;
  shown.element = elementOf(cache.getElement());
  shown.slots = cache.getSlots();
  shown.max_context = cache.getMaxContext();
  shown.kv_heads = cache.getKvHeads();
  shown.key_dim = cache.getKeyDim();
  shown.value_dim = cache.getValueDim();
}

const lathe_type *ProgramView::show(mlir::Type type, mlir::Value value) {
  lathe_type &shown = types_.emplace_back(sized<lathe_type>());
  shown.row_factor = 1;
  if (passes::isCache(type)) {
    showCache(type, shown);
    return &shown;
  }
  shown.kind = LATHE_TYPE_TENSOR;
  shown.element = elementOf(ir::elementTypeOf(type));
  llvm::ArrayRef<int64_t> extents = ir::shapeOf(type);
  std::vector<int64_t> &shape = integers_.emplace_back(extents.begin(), extents.end());
  if (!shape.empty() && mlir::ShapedType::isDynamic(shape[0])) {
    const passes::RowSource rows =
        isOfKernel(value) ? passes::RowSource() : passes::rowSourceOf(value);
    shape[0] = rows.is_output_rows ? LATHE_EXTENT_OUTPUT_ROWS : LATHE_EXTENT_ROWS;
    shown.row_factor = rows.factor;
  }
  shown.shape = shape.data();
  shown.rank = shape.size();
  if (auto quantized = mlir::dyn_cast<ir::QuantizedType>(type)) {
    shown.kind = LATHE_TYPE_QUANTIZED;
    shown.block_rows = quantized.getBlockRows();
    shown.block_columns = quantized.getBlockColumns();
    shown.scale_element = elementOf(quantized.getScaleType());
  }
  return &shown;
}

// Equal in name, type and sources: one constant.
static mlir::DictionaryAttr identityOf(ir::WeightOp weight) {
  mlir::Builder builder(weight.getContext());
  llvm::SmallVector<mlir::NamedAttribute> parts;
  for (auto &[name, value] : meaningOf(*weight))
    parts.push_back(builder.getNamedAttr(name, value));
  parts.push_back(builder.getNamedAttr("type", mlir::TypeAttr::get(weight.getType())));
  return builder.getDictionaryAttr(parts);
}

const lathe_constant *ProgramView::constant(ir::WeightOp weight) {
  const lathe_constant *&known = known_constants_[identityOf(weight)];
  if (known)
    return known;
  lathe_constant &shown = constants_.emplace_back(sized<lathe_constant>());
  shown.id = static_cast<uint32_t>(weights_.size());
  shown.name = keep(weight.getName().str());
  shown.type = show(weight.getType(), weight.getResult());
  weights_.push_back(weight);
  return known = &shown;
}

lathe_attribute &ProgramView::newAttribute(std::string name, uint32_t kind,
                                           std::vector<const lathe_attribute *> &all) {
  lathe_attribute &shown = attributes_.emplace_back(sized<lathe_attribute>());
  shown.name = keep(std::move(name));
  shown.kind = kind;
  all.push_back(&shown);
  return shown;
}

// "routing.top_k" and its kin: the fields of #lathe.routing, each an attribute of its own.
static std::vector<std::pair<std::string, mlir::Attribute>> fieldsOf(ir::RoutingAttr routing) {
  mlir::Builder builder(routing.getContext());
  auto text = [&](llvm::StringRef value) { return builder.getStringAttr(value); };
  return {{"group_score", text(ir::stringifyGroupScore(routing.getGroupScore()))},
          {"n_group", builder.getI64IntegerAttr(routing.getNGroup())},
          {"renormalize", builder.getBoolAttr(routing.getRenormalize())},
          {"scale", routing.getScale()},
          {"score", text(ir::stringifyRouteScore(routing.getScore()))},
          {"top_k", builder.getI64IntegerAttr(routing.getTopK())},
          {"topk_group", builder.getI64IntegerAttr(routing.getTopkGroup())}};
}

void ProgramView::addAttribute(std::string name, mlir::Attribute attribute,
                               std::vector<const lathe_attribute *> &all) {
  auto text = [&](llvm::StringRef value) {
    newAttribute(name, LATHE_ATTRIBUTE_TEXT, all).text = keep(value.str());
  };
  llvm::TypeSwitch<mlir::Attribute>(attribute)
      .Case([&](mlir::IntegerAttr value) { // BoolAttr, too
        newAttribute(name, LATHE_ATTRIBUTE_INTEGER, all).integer =
            value.getType().isInteger(1) ? value.getValue().getZExtValue() : value.getInt();
      })
      .Case([&](mlir::FloatAttr value) {
        newAttribute(name, LATHE_ATTRIBUTE_REAL, all).real = value.getValueAsDouble();
      })
      .Case([&](mlir::UnitAttr) { newAttribute(name, LATHE_ATTRIBUTE_INTEGER, all).integer = 1; })
      .Case([&](mlir::StringAttr value) { text(value.getValue()); })
      .Case([&](ir::RopeLayoutAttr value) { text(ir::stringifyRopeLayout(value.getValue())); })
      .Case([&](ir::MlaFormAttr value) { text(ir::stringifyMlaForm(value.getValue())); })
      .Case([&](ir::ActivationsAttr value) { text(ir::stringifyActivations(value.getValue())); })
      .Case([&](ir::RoutingAttr routing) {
        for (auto &[field, value] : fieldsOf(routing))
          addAttribute(name + "." + field, value, all);
      })
      .Case([&](mlir::DenseI64ArrayAttr value) {
        auto &kept = integers_.emplace_back(value.asArrayRef().begin(), value.asArrayRef().end());
        lathe_attribute &shown = newAttribute(name, LATHE_ATTRIBUTE_INTEGERS, all);
        shown.integers = kept.data();
        shown.count = kept.size();
      })
      .Case([&](mlir::DenseF32ArrayAttr value) {
        auto &kept = reals_.emplace_back(value.asArrayRef().begin(), value.asArrayRef().end());
        lathe_attribute &shown = newAttribute(name, LATHE_ATTRIBUTE_REALS, all);
        shown.reals = kept.data();
        shown.count = kept.size();
      })
      .Default([&](mlir::Attribute) {
        llvm_unreachable("an op of the dialect got an attribute that the border cannot show");
      });
}

void ProgramView::addAttributes(mlir::Operation &op, lathe_op &shown) {
  std::vector<const lathe_attribute *> attributes;
  for (auto &[name, value] : meaningOf(op))
    addAttribute(name, value, attributes);
  const auto &array = keep(std::move(attributes), attribute_arrays_);
  shown.attributes = array.data();
  shown.attribute_count = array.size();
}

} // namespace lathe::plugin
