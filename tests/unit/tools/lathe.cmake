# A model in C, with the exports of compiled code.
add_library(lathe_toy_code MODULE lathe/toy_code.c)
set_target_properties(lathe_toy_code PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(lathe_toy_code PRIVATE ${PROJECT_SOURCE_DIR})

lathe_unit_test(tools_lathe_test
  SOURCES lathe/nearest.cpp lathe/stop_texts.cpp lathe/text_output.cpp lathe/progress.cpp
          lathe/sampling_flags.cpp lathe/token_list.cpp lathe/conversation.cpp lathe/line_reader.cpp
          lathe/logits_dump.cpp lathe/explain.cpp lathe/table.cpp lathe/units.cpp lathe/flags.cpp
          lathe/run.cpp lathe/chat.cpp lathe/verbs.cpp lathe/program.cpp lathe/toy_model.cpp
  DEPS lathe_cli)
target_compile_definitions(tools_lathe_test PRIVATE LATHE_PROGRAM="$<TARGET_FILE:lathe>"
                                                    LATHE_TOY_CODE="$<TARGET_FILE:lathe_toy_code>")
add_dependencies(tools_lathe_test lathe lathe_toy_code)
