# Finds google/rpc/*.proto (status and error details) in the `googleapis-common-protos` wheel of PyPI: Debian ships no such files.
# Result: GoogleRpcProtos_INCLUDE_DIR, an import root for protoc.
find_package(Python3 COMPONENTS Interpreter QUIET)
execute_process(COMMAND ${Python3_EXECUTABLE} -c
  "import importlib.util as u,os;p=list(u.find_spec('google.rpc').submodule_search_locations)[0];print(os.path.dirname(os.path.dirname(p)),end='')"
  OUTPUT_VARIABLE GoogleRpcProtos_INCLUDE_DIR RESULT_VARIABLE _result ERROR_QUIET)
if(NOT _result EQUAL 0 OR NOT EXISTS ${GoogleRpcProtos_INCLUDE_DIR}/google/rpc/error_details.proto)
  unset(GoogleRpcProtos_INCLUDE_DIR)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(GoogleRpcProtos REQUIRED_VARS GoogleRpcProtos_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "pip install googleapis-common-protos into the Python that -DPython3_EXECUTABLE names (cmake/requirements.txt)")
