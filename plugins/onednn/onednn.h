// The two halves of the plugin.
#pragma once

#include <lathe/plugin.h>

namespace onednn {

extern const lathe_device_api device_api;   // device/device.cpp
extern const lathe_compile_api compile_api; // compile/compile.cpp

} // namespace onednn
