def LowerToTiles : Pass<"lathe-lower-to-tiles", "::mlir::ModuleOp"> {
  let summary = "Ops become kernels over tiles";
  let description = [{
    For targets whose code generator knows tiles and no op of a model (`LATHE_TAKES_TILES`). Runs on a
    module of parts, after placement; nothing that runs at home comes here.
    ```mlir
    %y = lathe.linear %x, %w : (tensor<?x384xf32>, tensor<96x384xbf16>) -> tensor<?x96xf32>
    // becomes
    %y = tile.launch @linear(%x, %w) : (tensor<?x384xf32>, tensor<96x384xbf16>) -> tensor<?x96xf32>
    // with
    func.func private @linear(%x: tensor<?x384xf32>, %w: tensor<96x384xbf16>) -> tensor<16x64xf32> attributes {tile.size = array<i64: 16, 64>} {
      %0 = tile.load %x strip : tensor<?x384xf32> -> tensor<16x384xf32>
      %1 = tile.load_weight %w : tensor<96x384xbf16> -> tensor<64x384xbf16>
      %2 = tile.matmul %0, %1 : (tensor<16x384xf32>, tensor<64x384xbf16>) -> tensor<16x64xf32>
      return %2 : tensor<16x64xf32>
    }
    ```
    A tile of rms_norm is as wide as a group, so that a point sees all that it sums. Tiles have no more rows
    and columns than the result. Slices become the offset of a load.

    Left alone: products of rows that are codes, and every op but `linear`, `scaled_matmul`, `fused_linear`,
    `gated_linear`, `rms_norm`, `add`, `scale`, `swiglu` and `cast`.
  }];
  let options = [Option<"rows", "rows", "int64_t", "16", "rows of a tile">,
                 Option<"columns", "columns", "int64_t", "64", "columns of a tile">];
  let dependentDialects = ["::lathe::tile::TileDialect"];
  let statistics = [Statistic<"numLowered", "num-lowered", "ops that became kernels">];
}

def FuseTiles : Pass<"lathe-fuse-tiles", "::mlir::ModuleOp"> {
  let summary = "A kernel goes on with the tile that another one made";
  let description = [{
    A tensor that one kernel makes and the next one loads tile by tile never reaches memory: the body of the
    first moves into the second. Runs after `lower-to-tiles`.
    ```mlir
    %y = tile.launch @linear(%x, %w)
    %z = tile.launch @add(%y, %h)
    // becomes, with the body of @linear in place of the load of %y
    %z = tile.launch @add(%h, %x, %w)
    ```
    Left alone: a kernel with a second launch; a tensor with a second user; one that is loaded as a strip or from an offset; launches with
    tiles or results of different sizes; a sum over tiles that reach beyond the end, where a load gives zeros.
  }];
  let statistics = [Statistic<"numFused", "num-fused", "kernels that moved into another one">];
}
