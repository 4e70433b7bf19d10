# Compares the symbols a built library defines with what it should define. Run as a script:
#
#   cmake -DNM=nm -DLIBRARY=libhdht.so  -DLIST=exported_symbols.txt [-DUPDATE=ON] -P check_symbols.cmake
#   cmake -DNM=nm -DLIBRARY=libhdht.a   -DPATTERN="^hd(ht)?_"                     -P check_symbols.cmake
#
# With LIST: the exported symbols are exactly those of the list, which UPDATE writes anew. With PATTERN: every global
# symbol matches it, so that a program may link other libraries beside this one.

cmake_minimum_required(VERSION 3.20)

if(APPLE_NM)
  set(nm_options -gU)
elseif(LIST)
  set(nm_options -D --defined-only)
else()
  set(nm_options -g --defined-only)
endif()
execute_process(COMMAND ${NM} ${nm_options} ${LIBRARY} OUTPUT_VARIABLE output ERROR_QUIET RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${NM} cannot read ${LIBRARY}")
endif()

# Lines are "address type name"; on Apple platforms a C name has one more underscore in front. Names that begin with an
# underscore belong to the compiler (sanitizers, coverage).
set(actual "")
string(REGEX MATCHALL "[0-9a-fA-F]+ [A-Za-z] [^\n]+" lines "${output}")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^[0-9a-fA-F]+ [A-Za-z] ([^@ ]+).*" "\\1" name "${line}")
  if(APPLE_NM)
    string(REGEX REPLACE "^_" "" name "${name}")
  endif()
  if(NOT name MATCHES "^_")
    list(APPEND actual "${name}")
  endif()
endforeach()
list(REMOVE_DUPLICATES actual)
list(SORT actual)
list(LENGTH actual count)
if(count EQUAL 0)
  message(FATAL_ERROR "${LIBRARY} defines no symbols")
endif()

if(PATTERN)
  list(FILTER actual EXCLUDE REGEX "${PATTERN}")
  if(actual)
    list(JOIN actual "\n  " names)
    message(FATAL_ERROR "These symbols do not match ${PATTERN} and could clash with those of other libraries:\n  ${names}")
  endif()
  message(STATUS "${count} symbols match ${PATTERN}")
  return()
endif()

set(strangers ${actual})
list(FILTER strangers EXCLUDE REGEX "^hdht_")
if(strangers)
  list(JOIN strangers "\n  " names)
  message(FATAL_ERROR "Exported, but not named hdht_*:\n  ${names}")
endif()

if(UPDATE)
  list(JOIN actual "\n" text)
  file(WRITE "${LIST}" "${text}\n")
  message(STATUS "wrote ${count} symbols to ${LIST}")
  return()
endif()

file(STRINGS "${LIST}" expected)
set(added ${actual})
set(missing ${expected})
if(expected)
  list(REMOVE_ITEM added ${expected})
endif()
list(REMOVE_ITEM missing ${actual})
set(difference "")
foreach(name IN LISTS added)
  string(APPEND difference "  + ${name}\n")
endforeach()
foreach(name IN LISTS missing)
  string(APPEND difference "  - ${name}\n")
endforeach()
if(difference)
  message(FATAL_ERROR "The exported symbols differ from ${LIST} (+ new, - gone):\n${difference}"
    "If that is meant: cmake --build <build> --target update-exported-symbols, and say so in the commit. "
    "A symbol that is gone breaks every program that uses it.")
endif()
message(STATUS "${count} exported symbols, as listed")
