// A driver that shows as many devices as OTHER_DRIVER_DEVICES says, begins with the error OTHER_DRIVER_ERROR, and does nothing else.
#include <cstdlib>

extern "C" int cuInit(unsigned) {
  const char* error = std::getenv("OTHER_DRIVER_ERROR");
  return error == nullptr ? 0 : std::atoi(error);
}
extern "C" int cuDeviceGetCount(int* count) {
  const char* devices = std::getenv("OTHER_DRIVER_DEVICES");
  *count = devices == nullptr ? 0 : std::atoi(devices);
  return 0;
}
