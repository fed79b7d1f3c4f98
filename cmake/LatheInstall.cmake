# What `cmake --install` puts where: what runs models, and the SDK that plugins are built with.
# Folders are those of the build tree, so that programs find their libraries in both alike. Plugins
# install themselves (LathePlugin.cmake).
set(LATHE_CMAKE_DIR lib/cmake/Lathe)
set(LATHE_DOC_DIR share/doc/lathe)

install(TARGETS lathe RUNTIME DESTINATION bin)
install(TARGETS lathe-probe RUNTIME DESTINATION libexec/lathe)
install(TARGETS lathe_runtime LIBRARY DESTINATION lib)
set_target_properties(lathe-probe PROPERTIES INSTALL_RPATH "$ORIGIN/../../lib")
if(TARGET lathe-conformance)
  install(TARGETS lathe-conformance RUNTIME DESTINATION bin)
endif()
if(TARGET lathe_compiler)
  install(TARGETS lathe_compiler LIBRARY DESTINATION lib)
  set_target_properties(lathe_compiler PROPERTIES INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH ON)
endif()

# The border is one header; nothing else of ours is for others.
install(FILES runtime/abi/plugin.h DESTINATION include/lathe)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/LatheConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES cmake/LatheConfig.cmake cmake/LathePlugin.cmake cmake/plugin_exports.map
              ${PROJECT_BINARY_DIR}/LatheConfigVersion.cmake
        DESTINATION ${LATHE_CMAKE_DIR})
install(DIRECTORY plugins/template DESTINATION share/lathe)

install(FILES README.md LICENSE runtime/abi/CHANGELOG.md DESTINATION ${LATHE_DOC_DIR})
install(FILES runtime/abi/README.md DESTINATION ${LATHE_DOC_DIR} RENAME abi.md)
install(FILES plugins/README.md DESTINATION ${LATHE_DOC_DIR} RENAME plugins.md)

# Pages out of `--help`, made when they are installed.
install(CODE "
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:lathe> -DVERSION=${PROJECT_VERSION}
            $<$<TARGET_EXISTS:lathe-conformance>:-DCONFORMANCE=$<TARGET_FILE:lathe-conformance>>
            -DOUT=\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/man/man1
            -P ${PROJECT_SOURCE_DIR}/cmake/man_pages.cmake
    COMMAND_ERROR_IS_FATAL ANY)")
