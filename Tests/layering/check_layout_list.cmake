# Fails when a public header defines a struct or union that public_layout.h does not list. Run as a script:
#
#   cmake -DHEADERS=include/hdht -DLIST=public_layout.h -P check_layout_list.cmake

cmake_minimum_required(VERSION 3.20)

file(STRINGS "${LIST}" lines REGEX "^STRUCT\\(")
set(listed "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^STRUCT\\(([a-z0-9_]+),.*" "\\1" name "${line}")
  list(APPEND listed "${name}")
endforeach()

set(missing "")
set(count 0)
file(GLOB headers "${HEADERS}/*.h")
foreach(header IN LISTS headers)
  file(READ "${header}" text)
  string(REGEX MATCHALL "(struct|union) hdht_[a-z0-9_]+[ \n]*{" definitions "${text}")
  foreach(definition IN LISTS definitions)
    string(REGEX REPLACE "(struct|union) (hdht_[a-z0-9_]+).*" "\\2" name "${definition}")
    math(EXPR count "${count} + 1")
    if(NOT name IN_LIST listed)
      get_filename_component(file "${header}" NAME)
      string(APPEND missing "  ${name} of ${file}\n")
    endif()
  endforeach()
endforeach()
if(missing)
  message(FATAL_ERROR "Not listed in ${LIST}:\n${missing}Add a STRUCT line, a MEMBER line for each member, and "
    "build the target update-public-layout.")
endif()
message(STATUS "${count} public structs, all listed")
