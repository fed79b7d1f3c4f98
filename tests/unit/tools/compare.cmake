# Python's unittest, a file for each module of tools/compare. What needs numpy is a test of its own, so that ctest lists it
# as skipped where there is none.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(pattern test with_numpy)
  add_test(NAME tools_compare_${pattern}
    COMMAND Python3::Interpreter -B -m unittest discover -s ${CMAKE_CURRENT_SOURCE_DIR}/compare -p *_${pattern}.py)
  set_tests_properties(tools_compare_${pattern} PROPERTIES ENVIRONMENT PYTHONPATH=${PROJECT_SOURCE_DIR}/tools)
endforeach()
set_tests_properties(tools_compare_with_numpy PROPERTIES SKIP_REGULAR_EXPRESSION "skipped=")
