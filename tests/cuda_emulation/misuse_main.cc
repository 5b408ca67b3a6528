// misuse NAME: runs one misuse. It must end with the emulation's message, which CTest looks for.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tests/cuda_emulation/misuse.h"

int main(int argc, char** argv) {
  std::signal(SIGABRT, [](int) { std::_Exit(1); });  // CTest reads no output of a crash
  try {
    if (!bouquet::cuda::run_misuse(argc > 1 ? argv[1] : "")) std::printf("there is no such misuse\n");
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
}
