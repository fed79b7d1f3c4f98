// Every op on tiles, and the launch of a kernel of them. Formulas use R rows, C columns, K columns of a strip.
#ifndef LATHE_IR_TILE_OPS_TD
#define LATHE_IR_TILE_OPS_TD

include "ir/lathe/dialect.td"
include "ir/lathe/interfaces.td"
include "ir/tile/dialect.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Lathe_OpWithParts<Tile_Dialect, mnemonic, traits>;

def Tile_LaunchOp : Tile_Op<"launch", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel for each tile of the result";
  let description = [{
    The grid has ceil(rows / R) x ceil(columns / C) points, of the result's rows and columns. Its rows are those
    of every tensor that the kernel loads as rows.
    - (C1) `kernel` names a kernel of the module that takes what the launch gives it.
    - (C2) The kernel's tile has the elements of the result.
    ```mlir
    %y = tile.launch @add(%a, %b) : (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel /*C1*/, Variadic<AnyType>:$inputs);
  let results = (outs Lathe_FloatMatrix:$result /*C2*/);
  let assemblyFormat = "$kernel `(` $inputs `)` attr-dict `:` functional-type(operands, results)";
}

//===--- loads ---===//

def Tile_LoadOp : Tile_Op<"load", [Pure]> {
  let summary = "This point's rows of a tensor";
  let description = [{
    `result[r, c] = input[i R + r, offset + j C + c]`: the point's tile. With `strip` all columns that the
    result has, `input[i R + r, offset + c]`, whatever the point's j.
    - (C1) The result has the rows of the tile and, without `strip`, its columns; the elements are the input's.
    - (C2) `offset` is not negative; a strip ends within the input.
    ```mlir
    %t = tile.load %x : tensor<?x96xf32> -> tensor<16x64xf32>
    %s = tile.load %x strip offset = 32 : tensor<?x96xf32> -> tensor<16x64xf32>
    ```
  }];
  let arguments = (ins Lathe_FloatMatrix:$input, UnitAttr:$strip, DefaultValuedAttr<I64Attr, "0">:$offset /*C2*/);
  let results = (outs Tile_Tile:$result /*C1*/);
  let assemblyFormat = "$input (`strip` $strip^)? (`offset` `=` $offset^)? attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_LoadRowOp : Tile_Op<"load_row", [Pure]> {
  let summary = "This point's part of a vector, as one row";
  let description = [{
    `result[0, c] = f32(input[j C + c])`; with `whole` all of it, `f32(input[c])`, whatever the point's j.
    - (C1) The result has one row and the columns of the tile, with `whole` as many as the vector is long.
    ```mlir
    %b = tile.load_row %bias : tensor<96xbf16> -> tensor<1x64xf32>
    ```
  }];
  let arguments = (ins Lathe_FloatVector:$input, UnitAttr:$whole);
  let results = (outs Tile_F32:$result /*C1*/);
  let assemblyFormat = "$input (`whole` $whole^)? attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_LoadWeightOp : Tile_Op<"load_weight", [Pure]> {
  let summary = "Those rows of a weight that make this point's columns";
  let description = [{
    `result[c, k] = weight[j C + c, k]`; of codes, code times scale in f32.
    - (C1) The result has a row for each column of the tile and the columns of the weight. Its elements are
      the weight's, or f32 where the weight is codes.
    ```mlir
    %w = tile.load_weight %weight : tensor<96x384xbf16> -> tensor<64x384xbf16>
    ```
  }];
  let arguments = (ins Lathe_AnyMatrix:$weight);
  let results = (outs Tile_Tile:$result /*C1*/);
  let assemblyFormat = "$weight attr-dict `:` type($weight) `->` type($result)";
  let hasVerifier = 1;
}

//===--- arithmetic ---===//

def Tile_MatmulOp : Tile_Op<"matmul", [Pure]> {
  let summary = "A strip times the rows of a weight";
  let description = [{
    `result[r, c] = sum_k f32(x[r, k]) * f32(weight[c, k])`, accumulated in f32 or wider, in any order.
    - (C1) `x` is [R, K], `weight` [C, K], the result [R, C].
    ```mlir
    %y = tile.matmul %x, %w : (tensor<16x384xf32>, tensor<64x384xbf16>) -> tensor<16x64xf32>
    ```
  }];
  let arguments = (ins Tile_Tile:$x, Tile_Tile:$weight /*C1*/);
  let results = (outs Tile_F32:$result);
  let assemblyFormat = "$x `,` $weight attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

// `rhs` may have one row or one column, which then stands for all of them.
class Tile_BinaryOp<string mnemonic> : Tile_Op<mnemonic, [Pure, AllTypesMatch<["lhs", "result"]>]> {
  let arguments = (ins Tile_F32:$lhs, Tile_F32:$rhs /*C1*/);
  let results = (outs Tile_F32:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs)";
  let hasVerifier = 1;
}

def Tile_AddOp : Tile_BinaryOp<"add"> {
  let summary = "Sum of two tiles";
  let description = [{
    `result[r, c] = lhs[r, c] + rhs[r, c]`; an extent of `rhs` that is 1 stands for all of `lhs`.
    - (C1) Each extent of `rhs` is that of `lhs`, or 1.
    ```mlir
    %y = tile.add %x, %bias : tensor<16x64xf32>, tensor<1x64xf32>
    ```
  }];
}

def Tile_MulOp : Tile_BinaryOp<"mul"> {
  let summary = "Product of two tiles, element by element";
  let description = [{
    `result[r, c] = lhs[r, c] * rhs[r, c]`; an extent of `rhs` that is 1 stands for all of `lhs`.
    - (C1) Each extent of `rhs` is that of `lhs`, or 1.
    ```mlir
    %y = tile.mul %x, %root : tensor<16x64xf32>, tensor<16x1xf32>
    ```
  }];
}

class Tile_UnaryOp<string mnemonic> : Tile_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let arguments = (ins Tile_F32:$input);
  let results = (outs Tile_F32:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Tile_ScaleOp : Tile_UnaryOp<"scale"> {
  let summary = "A factor and a summand, both constants";
  let description = [{
    `result[r, c] = input[r, c] * factor + summand`.
    - (C1) `factor` and `summand` are finite.
    ```mlir
    %y = tile.scale %x by 1.562500e-02 plus 1.000000e-05 : tensor<16x1xf32>
    ```
  }];
  let arguments = (ins Tile_F32:$input, F32Attr:$factor /*C1*/, F32Attr:$summand /*C1*/);
  let assemblyFormat = "$input `by` $factor `plus` $summand attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Tile_SumOp : Tile_Op<"sum", [Pure]> {
  let summary = "Sum of each row";
  let description = [{
    `result[r, 0] = sum_c input[r, c]`, accumulated in f32 or wider, in any order.
    - (C1) The result has the rows of the input and one column.
    ```mlir
    %s = tile.sum %x : tensor<16x64xf32> -> tensor<16x1xf32>
    ```
  }];
  let arguments = (ins Tile_F32:$input);
  let results = (outs Tile_F32:$result /*C1*/);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_RsqrtOp : Tile_UnaryOp<"rsqrt"> {
  let summary = "One over the square root";
  let description = [{
    `result[r, c] = 1 / sqrt(input[r, c])`.
    ```mlir
    %y = tile.rsqrt %x : tensor<16x1xf32>
    ```
  }];
}

def Tile_SiluOp : Tile_UnaryOp<"silu"> {
  let summary = "x times sigmoid(x)";
  let description = [{
    `result[r, c] = input[r, c] / (1 + exp(-input[r, c]))`.
    ```mlir
    %y = tile.silu %x : tensor<16x64xf32>
    ```
  }];
}

def Tile_ConvertOp : Tile_Op<"convert", [Pure]> {
  let summary = "Another float type";
  let description = [{
    `result[r, c] = input[r, c]`, rounded to nearest even in the result's type.
    - (C1) `input` and `result` have one shape.
    ```mlir
    %y = tile.convert %x : tensor<16x64xf32> -> tensor<16x64xbf16>
    ```
  }];
  let arguments = (ins Tile_Tile:$input);
  let results = (outs Tile_Tile:$result /*C1*/);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif
