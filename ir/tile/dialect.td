// The tile dialect: what is handed to a code generator that knows no op of a model.
#ifndef LATHE_IR_TILE_DIALECT_TD
#define LATHE_IR_TILE_DIALECT_TD

include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::lathe::tile";
  let summary = "Kernels over tiles of rows: a dozen operations, no loops";
  let description = [{
    A function is a list of launches over tensors. Each launch runs a *kernel*, a function with `tile.size`,
    once for each point (i, j) of a grid: point (i, j) makes rows [i R, (i + 1) R) and columns [j C, (j + 1) C)
    of the result, R and C being the kernel's tile sizes. Points do not see each other and may run in any order.

    A kernel takes the tensors of the launch and is a list of ops on *tiles*, which are matrices of constant
    extents, f32 unless an op says otherwise. It returns the tile of the result that its point makes. What a
    load reads beyond the end of its tensor is zero; what lies beyond the end of the result is dropped. Every
    op computes in f32 or wider and rounds once, at its result.

    ```mlir
    func.func private @add(%x: tensor<?x96xf32>, %y: tensor<?x96xf32>) -> tensor<16x64xf32> attributes {tile.size = array<i64: 16, 64>} {
      %0 = tile.load %x : tensor<?x96xf32> -> tensor<16x64xf32>
      %1 = tile.load %y : tensor<?x96xf32> -> tensor<16x64xf32>
      %2 = tile.add %0, %1 : tensor<16x64xf32>, tensor<16x64xf32>
      return %2 : tensor<16x64xf32>
    }
    ```
    Of a kernel holds:
    - `tile.size` is [R, C], both at least 1, and the kernel returns one tile of this size.
    - It has one block, of ops of this dialect that are no launch. Loads take arguments, all others tiles.
  }];
  let dependentDialects = ["::lathe::ir::LatheDialect", "::mlir::func::FuncDialect"];
  let hasOperationAttrVerify = 1;
}

// Matrices of constant extents.
class Tile_Of<list<Type> elements>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<[2]>], "tile">;
def Tile_Tile : Tile_Of<[F32, BF16, F16]>;
def Tile_F32 : Tile_Of<[F32]>;

#endif
