# Makes lathe.1 and a page for each verb out of `--help`, which is where the words are.
# usage: cmake -DPROGRAM=lathe [-DCONFORMANCE=lathe-conformance] -DVERSION=X -DOUT=DIR -P man_pages.cmake

function(help_of out)
  execute_process(COMMAND ${PROGRAM} ${ARGN} --help OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# write_page(NAME SUMMARY TEXT): what --help says, under a heading for each of its parts.
function(write_page name summary text)
  string(FIND "${text}" "\n" end)
  string(SUBSTRING "${text}" ${end} -1 text) # without the first line, the summary again
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "\n([.'])" "\n\\\\&\\1" text "${text}")
  string(REGEX REPLACE "\nusage: ([^\n]*)" "\n.fi\n.SH SYNOPSIS\n.nf\n\\1" text "${text}")
  foreach(part verbs example arguments flags)
    string(TOUPPER ${part} heading)
    string(REPLACE "\n${part}:\n" "\n.fi\n.SH ${heading}\n.nf\n" text "${text}")
  endforeach()
  string(TOUPPER ${name} title)
  file(WRITE ${OUT}/${name}.1 ".TH ${title} 1 \"\" \"lathe ${VERSION}\"\n.SH NAME\n${name} \\- ${summary}\n.nf\n${text}.fi\n")
endfunction()

help_of(main)
write_page(lathe "compiles language models ahead of time and runs them" "${main}")
string(REGEX MATCH "\nverbs:\n(  [^\n]*\n)+" verbs "${main}")
string(REGEX MATCHALL "\n  [a-z]+" verbs "${verbs}")
foreach(verb ${verbs})
  string(STRIP ${verb} verb)
  help_of(text ${verb})
  string(REGEX MATCH "^lathe ${verb}: ([^\n]*)" summary "${text}")
  write_page(lathe-${verb} "${CMAKE_MATCH_1}" "${text}")
endforeach()

if(CONFORMANCE)
  execute_process(COMMAND ${CONFORMANCE} --help OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCH "^lathe-conformance: ([^\n]*)" summary "${text}")
  write_page(lathe-conformance "${CMAKE_MATCH_1}" "${text}")
endif()
