// What the hardware under a backend can do at most: the two ceilings of the roofline model (Williams, Waterman, Patterson 2009).
#pragma once

namespace bouquet {

// Both measured, never a data sheet's.
struct Roofline {
  double bytes_per_second = 0;  // from and to memory, past every cache
  double flops_per_second = 0;  // of multiply-adds in single precision, two each
};

}  // namespace bouquet
