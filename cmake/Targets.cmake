# bouquet_library(NAME SOURCES... [PUBLIC libs...] [PRIVATE libs...]): one folder, one static library.
function(bouquet_library name)
  cmake_parse_arguments(A "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC bouquet_options ${A_PUBLIC} PRIVATE ${A_PRIVATE})
endfunction()
