// A module that is not of this build: what the program must refuse before it calls anything else.
#include <cstdlib>

extern "C" const char* bouquet_module_build_id() { return "0.0.1-of-another-build"; }
extern "C" const void* bouquet_module_entry() { std::abort(); }
