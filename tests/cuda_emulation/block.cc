// Compiled without instrumentation, and free of shared inline functions: what happens here between
// two fibers is not the kernel's doing and must stay invisible to ThreadSanitizer.
#include "tests/cuda_emulation/block.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "tests/cuda_emulation/fiber.h"
#include "tests/cuda_emulation/sanitizers.h"

// Declared in <device_launch_parameters.h> as constants, which they are for each thread.
extern "C" {
uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
int warpSize = 32;
}

// Bounds of the section that holds every __shared__ variable; null where there is none.
extern "C" __attribute__((weak)) unsigned char __start_emulated_shared[], __stop_emulated_shared[];

namespace emulation {
namespace {

constexpr unsigned kMaxThreads = 1024;
constexpr std::size_t kStackBytes = std::size_t{256} << 10;

enum class State : unsigned char { kReady, kAtBarrier, kInWarp, kReturned };

struct Thread {
  Fiber* fiber = nullptr;
  uint3 index = {};
  State state = State::kReturned;
  int predicate = 0, unfinished_copies = 0;
  Location at;
  unsigned mask = 0;
  Exchange exchange = nullptr;
  void* mine = nullptr;
};

struct Edge {  // two in turn: a thread may reach the next barrier before another has left this one
  char edges[2];
  unsigned turn = 0;
  void* current() { return &edges[turn]; }
};

struct Block {
  const Launch* launch;
  unsigned size;  // threads
  Thread threads[kMaxThreads];
  unsigned ready[kMaxThreads], ready_count;
  unsigned running;
  unsigned arrived[kMaxThreads / 32];  // per warp: lanes waiting in an exchange
  int barrier_result;
  Edge start, end, barrier, warp[kMaxThreads];  // warp: one per lowest lane of a mask
  unsigned char* dynamic_shared;
};

Block block;
std::mutex one_launch;  // __shared__ variables exist once per process
std::uint64_t random_state = 0;

std::uint64_t random_number() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

void make_ready(unsigned thread) {
  block.threads[thread].state = State::kReady;
  block.ready[block.ready_count++] = thread;
}

// Without a seed the lowest thread of a warp runs first, and one warp as far as it gets.
unsigned take_ready() {
  const unsigned last = block.ready_count - 1;
  const unsigned at = random_state == 0 ? last : unsigned(random_number() % block.ready_count);
  const unsigned thread = block.ready[at];
  block.ready[at] = block.ready[last];
  block.ready_count = last;
  return thread;
}

void suspend_running() {
  const unsigned self = block.running;
  block.threads[self].fiber->suspend();
}

// A float is NaN, an index is -1. Not memset: AddressSanitizer keeps redzones in here.
void fill_with_garbage(unsigned char* begin, const unsigned char* end) {
  for (volatile unsigned char* at = begin; at != end; ++at) *at = 0xFF;
}

void thread_body(void* index) {
  const auto self = unsigned(reinterpret_cast<std::uintptr_t>(index));
  acquire(block.start.current());
  block.launch->call(block.launch->arguments);
  if (block.threads[self].unfinished_copies != 0)
    misuse("a thread returned with asynchronous copies it never waited for", block.threads[self].at);
  release(block.end.current());
  block.threads[self].state = State::kReturned;
}

[[noreturn]] void report_stuck_block() {
  const Thread* waiting = nullptr;
  unsigned at_barrier = 0, in_warp = 0, returned = 0;
  for (unsigned i = 0; i < block.size; ++i) {
    const Thread& thread = block.threads[i];
    at_barrier += thread.state == State::kAtBarrier;
    in_warp += thread.state == State::kInWarp;
    returned += thread.state == State::kReturned;
    if (thread.state != State::kReturned && waiting == nullptr) {
      waiting = &thread;
      block.running = i;
    }
  }
  std::fprintf(stderr, "%u threads wait in __syncthreads, %u in a warp function, %u have returned\n", at_barrier, in_warp, returned);
  misuse("not every thread reaches what the others wait for", waiting->at);
}

void open_barrier() {
  const Thread& first = block.threads[0];
  int count = 0;
  for (unsigned i = 0; i < block.size; ++i) {
    const Thread& thread = block.threads[i];
    if (thread.state != State::kAtBarrier) report_stuck_block();
    if (thread.at.line() != first.at.line() || thread.at.column() != first.at.column()) {
      std::fprintf(stderr, "thread 0 waits at line %u, thread %u at line %u\n", unsigned(first.at.line()), i, unsigned(thread.at.line()));
      misuse("divergent __syncthreads", thread.at);
    }
    count += thread.predicate != 0;
  }
  block.barrier_result = count;
  block.barrier.turn ^= 1;
  for (unsigned i = block.size; i-- > 0;) make_ready(i);
}

void run_block() {
  fill_with_garbage(__start_emulated_shared, __stop_emulated_shared);
  fill_with_garbage(block.dynamic_shared, block.dynamic_shared + block.launch->shared_bytes);
  release(block.start.current());
  for (unsigned& lanes : block.arrived) lanes = 0;
  for (unsigned i = block.size; i-- > 0;) make_ready(i);
  for (;;) {
    while (block.ready_count > 0) {
      const unsigned self = block.running = take_ready();
      threadIdx = block.threads[self].index;
      block.threads[self].fiber->resume();
    }
    unsigned returned = 0;
    for (unsigned i = 0; i < block.size; ++i) returned += block.threads[i].state == State::kReturned;
    if (returned == block.size) break;
    open_barrier();
  }
  acquire(block.end.current());
}

}  // namespace

void run(const Launch& launch) {
  const std::lock_guard lock(one_launch);
  const char* seed = std::getenv("EMULATION_SEED");
  random_state = seed == nullptr ? 0 : std::strtoull(seed, nullptr, 10) * 0x9E3779B97F4A7C15u;
  blockDim = launch.block;
  gridDim = launch.grid;
  block.launch = &launch;
  block.size = launch.block.x * launch.block.y * launch.block.z;
  for (unsigned i = 0; i < block.size; ++i) {
    Thread& thread = block.threads[i];
    thread.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
    if (thread.fiber == nullptr) thread.fiber = new Fiber(kStackBytes, thread_body, reinterpret_cast<void*>(std::uintptr_t{i}));
  }
  void* shared = nullptr;
  if (posix_memalign(&shared, 1024, launch.shared_bytes) != 0) std::abort();
  block.dynamic_shared = static_cast<unsigned char*>(shared);

  const std::uint64_t blocks = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  const std::uint64_t first = random_state == 0 ? 0 : random_number() % blocks;
  const bool backwards = random_state != 0 && random_number() % 2 == 0;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t b = (first + (backwards ? blocks - i : i)) % blocks;
    blockIdx = {unsigned(b % launch.grid.x), unsigned(b / launch.grid.x % launch.grid.y), unsigned(b / launch.grid.x / launch.grid.y)};
    run_block();
  }
  std::free(shared);
}

void misuse(const char* what, Location at) {
  std::fprintf(stderr, "CUDA misuse: %s\n  at %s:%u in %s\n  block (%u, %u, %u), thread %u of %u\n", what, at.file_name(),
               unsigned(at.line()), at.function_name(), blockIdx.x, blockIdx.y, blockIdx.z, block.running, block.size);
  std::abort();
}

unsigned thread_in_block() { return block.running; }
void* dynamic_shared_memory() { return block.dynamic_shared; }
int& unfinished_copies() { return block.threads[block.running].unfinished_copies; }

int sync_block(int predicate, Location at) {
  Thread& self = block.threads[block.running];
  self.state = State::kAtBarrier;
  self.predicate = predicate;
  self.at = at;
  void* edge = block.barrier.current();
  release(edge);
  suspend_running();
  acquire(edge);
  return block.barrier_result;
}

void exchange_in_warp(unsigned mask, void* mine, Exchange exchange, Location at) {
  const unsigned me = block.running, warp = me / 32;
  Thread& self = block.threads[me];
  Thread* const lanes = &block.threads[warp * 32];
  unsigned& arrived = block.arrived[warp];
  self.at = at;
  self.mask = mask;
  self.exchange = exchange;
  self.mine = mine;
  if ((mask >> me % 32 & 1) == 0) misuse("a lane calls a warp function without being in its mask", at);
  if (warp * 32 + 31 - unsigned(__builtin_clz(mask)) >= block.size) misuse("the mask names a lane beyond the block", at);
  if ((arrived & mask) != 0) {
    const Thread& other = lanes[__builtin_ctz(arrived & mask)];
    if (other.mask != mask || other.exchange != exchange) {
      std::fprintf(stderr, "another lane waits at line %u with mask %08x, this one has %08x\n", unsigned(other.at.line()), other.mask,
                   mask);
      misuse("lanes of one warp meet in different functions or with different masks", at);
    }
  }
  arrived |= 1u << me % 32;
  if ((arrived & mask) != mask) {
    self.state = State::kInWarp;
    suspend_running();
    return;
  }
  arrived &= ~mask;
  if (exchange != nullptr) {
    void* brought[32];
    for (unsigned lane = 0; lane < 32; ++lane) brought[lane] = (mask >> lane & 1) != 0 ? lanes[lane].mine : nullptr;
    exchange(brought);
  }
  for (unsigned lane = 32; lane-- > 0;)
    if ((mask >> lane & 1) != 0 && warp * 32 + lane != me) make_ready(warp * 32 + lane);
  if (random_state != 0) {
    make_ready(me);
    suspend_running();
  }
}

void sync_warp(unsigned mask, Location at) {
  if (mask == 0) misuse("an empty mask", at);
  Edge& edge = block.warp[block.running / 32 * 32 + unsigned(__builtin_ctz(mask))];
  void* const mine = edge.current();
  release(mine);
  // The last lane to come turns the edge before any other goes on.
  const unsigned arrived = block.arrived[block.running / 32] & mask;
  if ((arrived | 1u << block.running % 32) == mask) edge.turn ^= 1;
  exchange_in_warp(mask, nullptr, nullptr, at);
  acquire(mine);
}

void memory_fence() {
  static char edge;
  release(&edge);
  acquire(&edge);
}

}  // namespace emulation
