lathe_unit_test(tools_lathe_test
  SOURCES lathe/nearest.cpp lathe/stop_texts.cpp lathe/text_output.cpp lathe/progress.cpp
          lathe/sampling_flags.cpp lathe/token_list.cpp lathe/conversation.cpp lathe/line_reader.cpp
          lathe/logits_dump.cpp lathe/explain.cpp lathe/table.cpp lathe/units.cpp lathe/flags.cpp
  DEPS lathe_cli)
