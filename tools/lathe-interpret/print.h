// Values as text.
#pragma once

#include "llvm/Support/raw_ostream.h"

#include "backends/reference/value.h"

namespace lathe::interpret {

// One line: kind, extents, digest of all bits, the first elements.
void printValue(llvm::raw_ostream &out, const reference::Value &value);

} // namespace lathe::interpret
