# How a plugin is built, in this tree and from an installed SDK alike. Whoever includes this has set
# LATHE_INCLUDE_DIR, the folder of <lathe/plugin.h>.

if(NOT TARGET Lathe::plugin)
  add_library(Lathe::plugin INTERFACE IMPORTED GLOBAL)
  target_include_directories(Lathe::plugin INTERFACE ${LATHE_INCLUDE_DIR})
endif()

# lathe_add_plugin(NAME SOURCES...): the target lathe_NAME, a library lib/liblathe_NAME.so of which
# nothing is seen but the entry. `lathe --plugin NAME` finds it there once it is
# installed beside lathe; a path finds it anywhere.
function(lathe_add_plugin name)
  set(target lathe_${name})
  add_library(${target} MODULE ${ARGN})
  target_link_libraries(${target} PRIVATE Lathe::plugin)
  set_target_properties(${target} PROPERTIES
    PREFIX liblathe_ OUTPUT_NAME ${name}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # Neither static libraries of a vendor nor templates of the standard library show anything.
  set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin_exports.map)
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,--version-script=${exports})
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${exports})
  install(TARGETS ${target} LIBRARY DESTINATION lib)
endfunction()
