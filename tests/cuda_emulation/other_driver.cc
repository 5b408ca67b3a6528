// A driver that shows as many devices as OTHER_DRIVER_DEVICES says, and does nothing else.
#include <cstdlib>

extern "C" int cuInit(unsigned) { return 0; }
extern "C" int cuDeviceGetCount(int* count) {
  const char* devices = std::getenv("OTHER_DRIVER_DEVICES");
  *count = devices == nullptr ? 0 : std::atoi(devices);
  return 0;
}
