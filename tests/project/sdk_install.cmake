# Installs Lathe, then does what a vendor does: builds the plugins `null`, `tiles`, `template` and `npu` with
# what is installed and nothing else, lists their devices with the installed programs, runs the first
# cases of the conformance kit on `template`, and a model on `npu`.
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
  foreach(file bin/lathe lib/liblathe_runtime.so lib/liblathe_null.so lib/liblathe_npu.so lib/liblathe_onednn.so libexec/lathe/lathe-probe
               lib/cmake/Lathe/LatheConfig.cmake lib/cmake/Lathe/LatheConfigVersion.cmake share/doc/lathe/plugins.md
               share/man/man1/lathe.1 share/man/man1/lathe-devices.1 share/lathe/template/plugin.c)
    if(NOT EXISTS ${prefix}/${file})
      message(FATAL_ERROR "sdk_install: ${file} is not installed")
    endif()
  endforeach()
endfunction()

# A copy of the sources stands alone: what it finds of Lathe is what is installed.
function(build_plugin name sources) # then more words for cmake
  file(COPY ${sources}/ DESTINATION ${OUT}/${name})
  run(ignored ${CMAKE_COMMAND} -S ${OUT}/${name} -B ${OUT}/${name}/build -G ${GENERATOR} -DCMAKE_C_COMPILER=${COMPILER}
      -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror" ${ARGN})
  run(ignored ${CMAKE_COMMAND} --build ${OUT}/${name}/build)
  file(READ ${OUT}/${name}/build/compile_commands.json commands)
  foreach(folder ${SOURCE}/runtime ${BUILD}/include)
    string(FIND "${commands}" ${folder} found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "sdk_install: ${name} is built with ${folder}, which is not installed")
    endif()
  endforeach()
endfunction()

function(list_devices name plugin properties)
  run(text ${prefix}/bin/lathe devices --plugin ${plugin})
  expect_text("${text}" "${name}:0\n" "lathe devices --plugin ${plugin}")
  expect_text("${text}" "${properties}" "lathe devices --plugin ${plugin}")
endfunction()

# As text with nothing behind it, whatever runs it.
function(tell output)
  run(text ${prefix}/bin/lathe run ${OUT}/story.lathe --prompt "Once upon a time" --greedy --max-new 24 ${ARGN})
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

# The same story with every op on the chip.
function(check_story plugin)
  if(NOT EXISTS ${prefix}/lib/liblathe_compiler.so)
    return()
  endif()
  run(explained ${prefix}/bin/lathe compile ${SOURCE}/models/stories_mla_fp8 -o ${OUT}/story.lathe --explain --strict
      --target npu:ascend-910b --target x86-64-v3 --plugin ${plugin} --place *=npu:ascend-910b)
  expect_text("${explained}" "1 on npu:ascend-910b" "lathe compile --explain")
  tell(host)
  tell(chip --device npu:0 --plugin ${plugin})
  if(NOT host STREQUAL chip)
    message(FATAL_ERROR "sdk_install: the chip tells '${chip}', the host '${host}'")
  endif()
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
list_devices(null null "arch=null;version=2")
list_devices(onednn onednn "arch=onednn;version=1")
check_probe()
build_plugin(null ${SOURCE}/plugins/null)
build_plugin(tiles ${SOURCE}/plugins/tiles)
build_plugin(template ${prefix}/share/lathe/template)
build_plugin(npu ${SOURCE}/plugins/npu -DNPU_TESTS=OFF -DCMAKE_BUILD_TYPE=Release)
list_devices(null ${OUT}/null/build/liblathe_null.so "arch=null;version=2")
list_devices(tiles ${OUT}/tiles/build/liblathe_tiles.so "arch=tiles;version=1")
list_devices(template ${OUT}/template/build/liblathe_template.so "arch=template;version=1")
list_devices(npu ${OUT}/npu/build/liblathe_npu.so "device=ascend-910b;version=1")
check_story(${OUT}/npu/build/liblathe_npu.so)
check_conformance(${OUT}/template/build/liblathe_template.so)
run(ignored ${CMAKE_COMMAND} --install ${OUT}/template/build --prefix ${prefix})
list_devices(template template "arch=template;version=1")
