// Every pass, stage by stage in the order in which the stages run.
#ifndef LATHE_PASSES_TD
#define LATHE_PASSES_TD

include "mlir/Pass/PassBase.td"

include "passes/canonical/passes.td"
include "passes/quantize/passes.td"
include "passes/specialise/passes.td"
include "passes/attention/passes.td"
include "passes/fuse/passes.td"
include "passes/legalise/passes.td"
include "passes/partition/passes.td"
include "passes/tiles/passes.td"
include "passes/plan/passes.td"

#endif
