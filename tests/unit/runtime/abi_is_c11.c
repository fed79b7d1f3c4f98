/* The headers of the border are plain C11, and each stands alone. */
#include "runtime/abi/device.h"

#include "runtime/abi/cpu_executable.h"

_Static_assert(sizeof(lathe_device_api) == 24 + 12 * sizeof(void *), "abi 1.0 is frozen");
