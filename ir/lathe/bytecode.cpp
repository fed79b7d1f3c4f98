// Bytecode written by version N reads in every later version. Attributes and types are stored in
// their textual form, so whoever changes that form raises the version and reads the old one here.
#include "ir/lathe/dialect.h"
#include "ir/lathe/version.h"

namespace lathe::ir {

namespace {

struct LatheBytecodeInterface : mlir::BytecodeDialectInterface {
  explicit LatheBytecodeInterface(mlir::Dialect *dialect) : BytecodeDialectInterface(dialect) {}

  void writeVersion(mlir::DialectBytecodeWriter &writer) const override {
    writer.writeVarInt(kMajorVersion);
    writer.writeVarInt(kMinorVersion);
  }

  std::unique_ptr<mlir::DialectVersion>
  readVersion(mlir::DialectBytecodeReader &reader) const override {
    uint64_t major = 0, minor = 0;
    if (failed(reader.readVarInt(major)) || failed(reader.readVarInt(minor)))
      return nullptr;
    if (major > kMajorVersion) {
      reader.emitError() << "was written for lathe dialect " << major << "." << minor
                         << ", this program has " << kMajorVersion << "." << kMinorVersion
                         << "; read it with a newer one";
      return nullptr;
    }
    return std::make_unique<LatheVersion>(major, minor);
  }

  // Whatever 1.0 and 1.1 wrote means the same in 1.2. What it did not write is left out where properties
  // are read, below.
  llvm::LogicalResult upgradeFromVersion(mlir::Operation *,
                                         const mlir::DialectVersion &) const override {
    return mlir::success();
  }
};

// Whether what is read was written by a version older than this.
bool isBefore(mlir::DialectBytecodeReader &reader, uint64_t major, uint64_t minor) {
  auto version = reader.getDialectVersion<LatheDialect>();
  if (failed(version))
    return false;
  const auto &read = static_cast<const LatheVersion &>(**version);
  return std::pair(read.major_version, read.minor_version) < std::pair(major, minor);
}

} // namespace

// An op whose attributes grow reads the new ones of files that have them only. The others are in
// the order that ODS has for them.
llvm::LogicalResult WeightOp::readProperties(mlir::DialectBytecodeReader &reader,
                                             mlir::OperationState &state) {
  auto &properties = state.getOrAddProperties<Properties>();
  if (failed(reader.readAttribute(properties.name)) ||
      failed(reader.readOptionalAttribute(properties.rows)) ||
      failed(reader.readOptionalAttribute(properties.scales)) ||
      failed(reader.readAttribute(properties.sources)))
    return mlir::failure();
  return isBefore(reader, 1, 1) ? mlir::success() : reader.readOptionalAttribute(properties.stored);
}

void WeightOp::writeProperties(mlir::DialectBytecodeWriter &writer) {
  auto &properties = getProperties();
  writer.writeAttribute(properties.name);
  writer.writeOptionalAttribute(properties.rows);
  writer.writeOptionalAttribute(properties.scales);
  writer.writeAttribute(properties.sources);
  writer.writeOptionalAttribute(properties.stored);
}

void LatheDialect::registerBytecode() { addInterfaces<LatheBytecodeInterface>(); }

} // namespace lathe::ir
