/* The headers of the border are plain C11, and each stands alone. */
#include "runtime/abi/plugin.h"

#include "runtime/abi/cpu_executable.h"

_Static_assert(sizeof(lathe_device_api) == 16 + 22 * sizeof(void *), "abi 1.0 is frozen");
