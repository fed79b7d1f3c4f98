lathe_unit_test(golden_weights_test MLIR SOURCES weights.cpp compiled_model.cpp interpreted_model.cpp
  DEPS lathe_compiler_driver lathe_interpret lathe_tokenizer)
set_tests_properties(golden_weights_test PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=0" TIMEOUT 1200)
add_test(NAME golden_weights_test_1 COMMAND golden_weights_test)
set_tests_properties(golden_weights_test_1 PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=1" TIMEOUT 1200)
