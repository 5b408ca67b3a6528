# bouquet_proto_library(NAME ROOT dir PROTOS a/b.proto... [IMPORT dir] [GRPC]): C++ from protos, with real dependency tracking.
# ROOT is the import root of PROTOS, IMPORT one more root that they import from. GRPC: also the service stubs.
function(bouquet_proto_library name)
  cmake_parse_arguments(A "GRPC" "ROOT;IMPORT" "PROTOS;PUBLIC" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(sources)
  foreach(proto ${A_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    get_filename_component(folder ${out}/${proto} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    set(files ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(grpc_arguments)
    if(A_GRPC)
      list(PREPEND files ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)  # first, as in protoc's depfile: ninja compares
      set(grpc_arguments --grpc_out=${out} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    endif()
    set(roots -I ${A_ROOT})
    if(A_IMPORT)
      list(APPEND roots -I ${A_IMPORT})
    endif()
    add_custom_command(OUTPUT ${files}
      COMMAND protobuf::protoc ${roots} --cpp_out=${out} ${grpc_arguments} --dependency_out=${out}/${stem}.d ${A_ROOT}/${proto}
      DEPENDS ${A_ROOT}/${proto} protobuf::protoc
      DEPFILE ${out}/${stem}.d COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND sources ${files})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${A_PUBLIC})
  set_target_properties(${name} PROPERTIES CXX_CLANG_TIDY "")
endfunction()
