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

  // Nothing has changed since 1.0.
  llvm::LogicalResult upgradeFromVersion(mlir::Operation *,
                                         const mlir::DialectVersion &) const override {
    return mlir::success();
  }
};

} // namespace

void LatheDialect::registerBytecode() { addInterfaces<LatheBytecodeInterface>(); }

} // namespace lathe::ir
