lathe_unit_test(x86_code_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/x86/object.cpp DEPS lathe_x86_code)
