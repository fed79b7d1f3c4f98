# Installs Lathe, then does what a vendor does: builds the plugins `null` and `template` with what is
# installed and nothing else, and lists their devices with the installed program.
# usage: cmake -DSOURCE=DIR -DBUILD=DIR -DOUT=DIR -DCOMPILER=CC -DGENERATOR=NAME -P sdk_install.cmake
set(prefix ${OUT}/prefix)
file(REMOVE_RECURSE ${OUT})

# run(OUTPUT WORDS...): what a program prints; ends the test where it fails.
function(run output)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text ERROR_VARIABLE errors RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "sdk_install: failed with ${status}: ${command}\n${text}${errors}")
  endif()
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

function(expect_text text wanted what)
  string(FIND "${text}" "${wanted}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "sdk_install: ${what} does not say '${wanted}':\n${text}")
  endif()
endfunction()

# Only the header of the border leaves the tree.
function(check_files)
  file(GLOB_RECURSE headers RELATIVE ${prefix} ${prefix}/include/*)
  if(NOT headers STREQUAL "include/lathe/plugin.h")
    message(FATAL_ERROR "sdk_install: include/ should hold lathe/plugin.h alone, and holds ${headers}")
  endif()
  foreach(file bin/lathe lib/liblathe_runtime.so lib/liblathe_null.so libexec/lathe/lathe-probe
               lib/cmake/Lathe/LatheConfig.cmake lib/cmake/Lathe/LatheConfigVersion.cmake share/doc/lathe/plugins.md
               share/man/man1/lathe.1 share/man/man1/lathe-devices.1 share/lathe/template/plugin.c)
    if(NOT EXISTS ${prefix}/${file})
      message(FATAL_ERROR "sdk_install: ${file} is not installed")
    endif()
  endforeach()
endfunction()

# A copy of the sources stands alone: what it finds of Lathe is what is installed.
function(build_plugin name sources)
  file(COPY ${sources}/ DESTINATION ${OUT}/${name})
  run(ignored ${CMAKE_COMMAND} -S ${OUT}/${name} -B ${OUT}/${name}/build -G ${GENERATOR} -DCMAKE_C_COMPILER=${COMPILER}
      -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
  run(ignored ${CMAKE_COMMAND} --build ${OUT}/${name}/build)
  file(READ ${OUT}/${name}/build/compile_commands.json commands)
  foreach(folder ${SOURCE}/runtime ${BUILD}/include)
    string(FIND "${commands}" ${folder} found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "sdk_install: ${name} is built with ${folder}, which is not installed")
    endif()
  endforeach()
endfunction()

function(list_devices name plugin)
  run(text ${prefix}/bin/lathe devices --plugin ${plugin})
  expect_text("${text}" "${name}:0\n" "lathe devices --plugin ${plugin}")
  expect_text("${text}" "properties  arch=${name};version=1" "lathe devices --plugin ${plugin}")
endfunction()

# A vendor's first case, and the rules of the header, with the installed kit.
function(check_conformance plugin)
  if(NOT EXISTS ${prefix}/bin/lathe-conformance) # it needs the compiler
    return()
  endif()
  run(text ${prefix}/bin/lathe-conformance --plugin ${plugin} --filter "add/f32/rows7_*")
  expect_text("${text}" "6 passed, 0 skipped, 0 failed" "lathe-conformance --plugin ${plugin}")
  run(text ${prefix}/bin/lathe-conformance --plugin ${plugin} --lint)
  expect_text("${text}" "0 broken" "lathe-conformance --lint --plugin ${plugin}")
  if(NOT EXISTS ${prefix}/share/man/man1/lathe-conformance.1)
    message(FATAL_ERROR "sdk_install: lathe-conformance has no manual page")
  endif()
endfunction()

# The runtime in the prefix tries plugins with the helper of the prefix, and no other.
function(check_probe)
  set(probe ${prefix}/libexec/lathe/lathe-probe)
  file(RENAME ${probe} ${probe}.away)
  execute_process(COMMAND ${prefix}/bin/lathe devices --plugin null ERROR_VARIABLE errors RESULT_VARIABLE status)
  file(RENAME ${probe}.away ${probe})
  expect_text("${errors}" "probe: cannot start ${probe}" "lathe without its helper")
endfunction()

run(ignored ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
check_files()
list_devices(null null)
check_probe()
build_plugin(null ${SOURCE}/plugins/null)
build_plugin(template ${prefix}/share/lathe/template)
list_devices(null ${OUT}/null/build/liblathe_null.so)
list_devices(template ${OUT}/template/build/liblathe_template.so)
check_conformance(${OUT}/template/build/liblathe_template.so)
run(ignored ${CMAKE_COMMAND} --install ${OUT}/template/build --prefix ${prefix})
list_devices(template template)
