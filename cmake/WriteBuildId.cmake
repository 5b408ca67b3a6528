# cmake -DVERSION=.. -DCOMPILER=.. -DHEADERS_OF=folder -DOUT=file -P WriteBuildId.cmake: the source of bouquet::build_id().
file(GLOB headers ${HEADERS_OF}/*.h)
list(SORT headers)
set(all "${COMPILER}")
foreach(header IN LISTS headers)
  file(SHA256 ${header} hash)
  string(APPEND all " ${hash}")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 16 short)
file(WRITE ${OUT} "#include \"engine/backend_module.h\"

namespace bouquet {
const char* build_id() { return \"${VERSION}-${short}\"; }
}  // namespace bouquet
")
