// Where a figure was measured: part of every result.
#pragma once

#include <string>

namespace bouquet::bench {

// "AMD EPYC, 2 cores"
std::string describe_machine();

}  // namespace bouquet::bench
