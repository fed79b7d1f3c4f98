lathe_unit_test(golden_placed_test MLIR SOURCES placed.cpp placed_onednn.cpp compiled_model.cpp interpreted_model.cpp
  DEPS lathe_compiler_driver lathe_interpret lathe_tokenizer)
set_tests_properties(golden_placed_test PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=0" TIMEOUT 1200)
add_test(NAME golden_placed_test_1 COMMAND golden_placed_test)
set_tests_properties(golden_placed_test_1 PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=1" TIMEOUT 1200)
target_compile_definitions(golden_placed_test PRIVATE LATHE_NULL_PLUGIN="$<TARGET_FILE:lathe_null>"
  LATHE_ONEDNN_PLUGIN="$<TARGET_FILE:lathe_onednn>" LATHE_TILES_PLUGIN="$<TARGET_FILE:lathe_tiles>"
  LATHE_TEMPLATE_PLUGIN="$<TARGET_FILE:template_plugin>")
add_dependencies(golden_placed_test lathe_null lathe_onednn lathe_tiles template_plugin lathe-probe)
