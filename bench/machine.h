// Where a figure was measured, and what it took: part of every result.
#pragma once

#include <cstdint>
#include <string>

namespace bouquet::bench {

// "AMD EPYC, 2 cores"
std::string describe_machine();

// The most that was resident of this process so far, program and libraries included.
int64_t peak_bytes();

// Of all threads of this process so far, in the program and in the kernel.
double cpu_seconds();

}  // namespace bouquet::bench
