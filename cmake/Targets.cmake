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
# None that is generated: precompiled headers are made anew when the time of a file changes, and a compiler cache then finds nothing.
set(bouquet_server_headers
  "<grpcpp/grpcpp.h>" "<grpcpp/generic/async_generic_service.h>" "<grpcpp/support/async_stream.h>" "<grpcpp/support/async_unary_call.h>"
  "<grpcpp/support/client_callback.h>" "<grpcpp/support/method_handler.h>" "<grpcpp/support/server_callback.h>" "<grpcpp/support/sync_stream.h>"
  "<google/protobuf/arena.h>" "<google/protobuf/extension_set.h>" "<google/protobuf/generated_enum_reflection.h>"
  "<google/protobuf/generated_message_reflection.h>" "<google/protobuf/generated_message_util.h>" "<google/protobuf/map.h>"
  "<google/protobuf/map_entry.h>" "<google/protobuf/map_field_inl.h>" "<google/protobuf/message.h>" "<google/protobuf/repeated_field.h>"
  "<google/protobuf/timestamp.pb.h>" "<google/protobuf/unknown_field_set.h>"
  "<rocksdb/db.h>" "<rocksdb/write_batch.h>" "<absl/time/clock.h>" "<absl/time/time.h>")
set(bouquet_common_libraries absl::statusor absl::str_format absl::flat_hash_map)
set(bouquet_server_libraries gRPC::grpc++ protobuf::libprotobuf absl::time PkgConfig::ROCKSDB)
bouquet_precompiled_headers(library_headers HEADERS ${bouquet_common_headers} LIBRARIES ${bouquet_common_libraries})
bouquet_precompiled_headers(server_headers HEADERS ${bouquet_common_headers} ${bouquet_server_headers}
  LIBRARIES ${bouquet_common_libraries} ${bouquet_server_libraries})

# bouquet_library(NAME SOURCES... [PUBLIC libs...] [PRIVATE libs...] [HEADERS precompiled] [COLD]): one folder, one static library. COLD: command
# lines and what they print, which take the compiler longest (CLI11 is all in headers) and run once a process: -O1.
function(bouquet_library name)
  cmake_parse_arguments(A "COLD" "HEADERS" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT A_HEADERS)
    set(A_HEADERS library_headers)
  endif()
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC bouquet_options ${A_PUBLIC} PRIVATE ${A_PRIVATE})
  target_precompile_headers(${name} REUSE_FROM ${A_HEADERS})
  if(A_COLD)
    target_compile_options(${name} PRIVATE -O1)
  endif()
endfunction()
