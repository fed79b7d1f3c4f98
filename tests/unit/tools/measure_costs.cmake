find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME tools_measure_costs
  COMMAND Python3::Interpreter -B -m unittest discover -s ${CMAKE_CURRENT_SOURCE_DIR}/measure_costs -p *_test.py)
set_tests_properties(tools_measure_costs PROPERTIES ENVIRONMENT PYTHONPATH=${PROJECT_SOURCE_DIR}/tools)
