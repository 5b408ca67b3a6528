// The names of kernels. They stand in anonymous namespaces, so the loader does not know them: the symbol table of the file does.
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <elf.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "tests/cuda_emulation/own_work.h"
#include "tests/cuda_emulation/runtime.h"

namespace {

using Names = std::map<std::uintptr_t, std::string>;  // of functions, by their distance from where the file was loaded

template <typename T>
T part_of(const std::string& bytes, std::size_t offset) {
  T part = {};
  if (offset + sizeof part <= bytes.size()) std::memcpy(&part, bytes.data() + offset, sizeof part);
  return part;
}

Names function_names(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const auto header = part_of<Elf64_Ehdr>(bytes, 0);
  const auto section = [&](unsigned index) { return part_of<Elf64_Shdr>(bytes, header.e_shoff + index * sizeof(Elf64_Shdr)); };
  Names names;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    if (section(i).sh_type != SHT_SYMTAB) continue;
    const std::size_t first = section(i).sh_offset, end = first + section(i).sh_size, texts = section(section(i).sh_link).sh_offset;
    for (std::size_t at = first; at < end; at += sizeof(Elf64_Sym)) {
      const auto symbol = part_of<Elf64_Sym>(bytes, at);
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && texts + symbol.st_name < bytes.size())
        names.emplace(symbol.st_value, bytes.c_str() + texts + symbol.st_name);
    }
  }
  return names;
}

}  // namespace

extern "C" cudaError_t cudaFuncGetName(const char** name, const void* function) {
  if (const cudaError_t error = emulation::counted_call(); error != cudaSuccess) return error;
  const emulation::OwnWork own;
  const emulation::Lock lock(emulation::runtime().mutex);
  Dl_info place = {};
  if (dladdr(function, &place) == 0) return emulation::noted(cudaErrorInvalidDeviceFunction);
  static auto* const names_of = new std::map<std::string, Names>;
  const auto [names, unread] = names_of->try_emplace(place.dli_fname);
  if (unread) names->second = function_names(place.dli_fname);
  const auto found = names->second.find(reinterpret_cast<std::uintptr_t>(function) - reinterpret_cast<std::uintptr_t>(place.dli_fbase));
  if (found == names->second.end()) return emulation::noted(cudaErrorInvalidDeviceFunction);
  *name = found->second.c_str();
  return cudaSuccess;
}
