add_subdirectory(${CMAKE_CURRENT_LIST_DIR}/x86/kernels)
add_subdirectory(${CMAKE_CURRENT_LIST_DIR}/x86/pack)
