# find_package(Lathe): what a plugin is built with. Gives
#   Lathe::plugin          <lathe/plugin.h>, the whole of the border
#   lathe_add_plugin(NAME SOURCES...)
#   LATHE_PROGRAM          the path of `lathe`
get_filename_component(LATHE_PREFIX ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
set(LATHE_INCLUDE_DIR ${LATHE_PREFIX}/include)
set(LATHE_PROGRAM ${LATHE_PREFIX}/bin/lathe)
include(${CMAKE_CURRENT_LIST_DIR}/LathePlugin.cmake)
