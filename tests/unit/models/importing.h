// What the tests of imports share.
#pragma once

#include <gmock/gmock.h>

#include "llvm/Support/raw_ostream.h"

#include "models/import.h"
#include "tests/unit/models/tiny_checkpoint.h"

namespace lathe::models {

// The message of an import that must fail; "" and a failure where it does not.
inline std::string refusal(TinyCheckpoint &tiny, ImportOptions options = {.hash = false}) {
  const auto checkpoint = tiny.open();
  if (!checkpoint.ok())
    return std::string(checkpoint.status().message());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  const auto module = importCheckpoint(context, *checkpoint, options);
  EXPECT_FALSE(module.ok());
  return std::string(module.status().message());
}

inline std::string textOf(mlir::ModuleOp module, bool locations = false) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, mlir::OpPrintingFlags().enableDebugInfo(locations, /*prettyForm=*/false));
  return text;
}

// The IR of a checkpoint that must be importable.
inline std::string importedText(TinyCheckpoint &tiny, ImportOptions options = {.hash = false},
                                bool locations = false) {
  const auto checkpoint = tiny.open();
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  const auto module = importCheckpoint(context, *checkpoint, options);
  EXPECT_TRUE(module.ok()) << module.status();
  return module.ok() ? textOf(**module, locations) : "";
}

inline int occurrences(const std::string &text, const std::string &part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

} // namespace lathe::models
