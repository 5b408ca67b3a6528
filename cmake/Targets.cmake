# bouquet_precompiled_headers(NAME [EXECUTABLES] HEADERS... [LIBRARIES...]): headers that nearly every file of some targets includes, read once
# and not by each of them: reading gRPC's takes five times as long as compiling what is ours. EXECUTABLES: for targets that are programs, which
# are compiled as such (-fPIE). Files include what they use all the same; a build with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON shows whether they do.
function(bouquet_precompiled_headers name)
  cmake_parse_arguments(A "EXECUTABLES" "" "HEADERS;LIBRARIES" ${ARGN})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "int main() { return 0; }\n" @ONLY)
  if(A_EXECUTABLES)
    add_executable(${name} ${source})
  else()
    add_library(${name} OBJECT ${source})
  endif()
  target_link_libraries(${name} PRIVATE bouquet_options ${A_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${A_HEADERS})
endfunction()

set(bouquet_common_headers
  "<absl/status/status.h>" "<absl/status/statusor.h>" "<absl/strings/str_cat.h>" "<absl/strings/str_format.h>" "<absl/container/flat_hash_map.h>"
  "<algorithm>" "<array>" "<atomic>" "<chrono>" "<cmath>" "<cstdint>" "<cstdio>" "<cstdlib>" "<cstring>" "<filesystem>" "<fstream>" "<functional>" "<limits>" "<map>"
  "<memory>" "<mutex>" "<optional>" "<random>" "<set>" "<shared_mutex>" "<span>" "<string>" "<string_view>" "<thread>" "<utility>" "<vector>")
set(bouquet_server_headers
  "<grpcpp/grpcpp.h>" "<rocksdb/db.h>" "<rocksdb/write_batch.h>" "<absl/time/clock.h>" "<absl/time/time.h>" "<bouquet/v1/audiences.grpc.pb.h>"
  "<bouquet/v1/catalog.grpc.pb.h>" "<bouquet/v1/models.grpc.pb.h>" "<bouquet/v1/profiles.grpc.pb.h>" "<bouquet/v1/recommendations.grpc.pb.h>"
  "<bouquet/v1/store.grpc.pb.h>")
set(bouquet_common_libraries absl::statusor absl::str_format absl::flat_hash_map)
set(bouquet_server_libraries bouquet_proto absl::time PkgConfig::ROCKSDB)
bouquet_precompiled_headers(library_headers HEADERS ${bouquet_common_headers} LIBRARIES ${bouquet_common_libraries})
bouquet_precompiled_headers(server_headers HEADERS ${bouquet_common_headers} ${bouquet_server_headers}
  LIBRARIES ${bouquet_common_libraries} ${bouquet_server_libraries})

# bouquet_library(NAME SOURCES... [PUBLIC libs...] [PRIVATE libs...] [HEADERS precompiled]): one folder, one static library.
function(bouquet_library name)
  cmake_parse_arguments(A "" "HEADERS" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT A_HEADERS)
    set(A_HEADERS library_headers)
  endif()
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC bouquet_options ${A_PUBLIC} PRIVATE ${A_PRIVATE})
  target_precompile_headers(${name} REUSE_FROM ${A_HEADERS})
endfunction()
