// Streams and events: libcudart's functions that we call.
#include <cuda_runtime_api.h>

#include "tests/cuda_emulation/handles.h"
#include "tests/cuda_emulation/runtime.h"

using namespace emulation;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  if ((flags & cudaStreamNonBlocking) == 0) host_misuse("a stream that waits for the legacy default stream");
  const Lock lock(runtime().mutex);
  runtime().streams.push_back(*out = new CUstream_st);
  (*out)->device = current_device();
  ++runtime().living_streams;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const cudaError_t error = counted_call();
  expect_current(resolve(stream)->device);
  run_all(stream);
  return error;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  stream = resolve(stream);
  if (stream->work.empty()) return cudaSuccess;
  run_until(stream, stream->done + 1);  // a caller that polls must get on
  return cudaErrorNotReady;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  expect_current(stream->device);
  run_all(stream);  // and kept: an event may still name it
  --runtime().living_streams;
  return error;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  if (event->stream != nullptr) enqueue(stream, [other = event->stream, after = event->after] { run_until(other, after); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned flags) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  *out = new CUevent_st;
  (*out)->keeps_time = (flags & cudaEventDisableTiming) == 0;
  ++runtime().living_events;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  if (event->stream != nullptr) run_until(event->stream, event->after);
  --runtime().living_events;
  delete event;
  return error;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  enqueue(stream, [=] { event->seconds = event_clock(); });
  event->stream = resolve(stream);
  event->after = event->stream->queued;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  if (event->stream != nullptr) run_until(event->stream, event->after);
  return error;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  for (const cudaEvent_t event : {begin, end}) {
    if (!event->keeps_time || event->stream == nullptr) return noted(cudaErrorInvalidResourceHandle);
    if (event->stream->done < event->after) return noted(cudaErrorNotReady);
  }
  *milliseconds = static_cast<float>((end->seconds - begin->seconds) * 1e3);
  return cudaSuccess;
}

}  // extern "C"
