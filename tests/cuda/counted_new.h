// Counts calls of operator new on this thread, without those of the emulation. Linked into the program it replaces operator new there, so
// it is not built with a sanitizer, which has one of its own.
#pragma once

#include <cstdint>

namespace bouquet::cuda {

void start_counting_new();
int64_t stop_counting_new();  // how many there were since

}  // namespace bouquet::cuda
