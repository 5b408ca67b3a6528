# How every file of ours is compiled: the language, the warnings, the sanitizer, the compiler cache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(bouquet_options INTERFACE)
target_include_directories(bouquet_options INTERFACE ${PROJECT_SOURCE_DIR})
set(bouquet_cxx_options -Wall -Wextra -Wshadow -Wnon-virtual-dtor -fno-math-errno -ffp-contract=off
  -pthread)  # everywhere, since a difference makes the compiler refuse precompiled headers
# g++ 12 sees overlapping copies in "literal" + std::string at -O3 where there are none (GCC bug 105651). With precompiled headers it also
# forgets there which headers are the system's, and warns of these: the release preset, which is at -O3, has none.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND bouquet_cxx_options -Wno-restrict)
endif()
if(BOUQUET_WARNINGS_AS_ERRORS)
  list(APPEND bouquet_cxx_options -Werror)
endif()
target_compile_options(bouquet_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${bouquet_cxx_options}>)

if(BOUQUET_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(BOUQUET_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  add_link_options(-fsanitize=thread)
elseif(BOUQUET_SANITIZER)
  message(FATAL_ERROR "BOUQUET_SANITIZER is '${BOUQUET_SANITIZER}'; it takes address, thread or nothing")
endif()
