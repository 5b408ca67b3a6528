// What the threads of a pool can do at most: reading memory, and multiply-adds in single precision.
#pragma once

#include "cpu_fallback/thread_pool.h"
#include "engine/roofline.h"

namespace bouquet::cpu {

// Takes about half a second and 256 MiB. Throws std::bad_alloc.
Roofline measure_roofline(ThreadPool& pool);

}  // namespace bouquet::cpu
