lathe_unit_test(golden_caches_test MLIR SOURCES caches.cpp compiled_model.cpp interpreted_model.cpp
  DEPS lathe_compiler_driver lathe_interpret lathe_tokenizer)
set_tests_properties(golden_caches_test PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=0" TIMEOUT 1200)
add_test(NAME golden_caches_test_1 COMMAND golden_caches_test)
set_tests_properties(golden_caches_test_1 PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=1" TIMEOUT 1200)
