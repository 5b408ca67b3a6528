#include "cuda/row_systems.h"

#include "cuda/launch.h"
#include "cuda/pair_gather.h"
#include "cuda/register_tiles.h"

namespace bouquet::cuda {
namespace {

constexpr int kMostThreads = 288;  // 528 tiles of 8 x 8, two per thread
constexpr int kDualColumns = 16;   // of the eigenbasis at a time
constexpr int kDualStride = 20;    // floats from row to row: no two of eight rows meet in a bank
constexpr int kCombinedColumns = 128;

struct SystemArguments {
  DevicePairs pairs;
  DeviceSource source;
  RowList rows;
  DeviceSolutions out;
  PartialSums sums;
  const int32_t* first_slots;  // null: every row is summed here
  int size;                    // of the system in memory
};

// Shared memory after the staging buffers.
template <int B>
__device__ __forceinline__ CholeskyScratch<B> scratch_at(float* panel, float* rest, int size) {
  return {panel, rest + size, rest, reinterpret_cast<int*>(rest + size + B * B)};
}
template <int B>
constexpr int scratch_floats(int size) {
  return size + B * B + 4;
}

// tiles += sum of c y yᵀ, right += sum of c r y over pairs [begin, end). Thread t holds rights t and t + blockDim.x.
template <int B, int R>
__device__ __forceinline__ void add_pairs(RegisterTiles<B, R>& tiles, float (&right)[2], const SystemArguments& a, int64_t begin,
                                          int64_t end, const GatherMemory& memory) {
  const int size = a.size;
  gather_pairs<B>(a.pairs, a.source, begin, end, memory, {size}, [&](const float* rows, const float* gains) {
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.exists(r))
        add_outer_products<Sign::kAdd, kGatherRows, B, R == 1 ? 4 : 1>(tiles.value[r], tiles.row[r], tiles.column[r], rows, rows, size);
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
      if (j >= size) break;
#pragma unroll
      for (int k = 0; k < kGatherRows; ++k) right[h] += gains[k] * rows[k * size + position<B>(j, size)];
    }
  });
}

// Element (i, j) of tile t of slot s stands at ((s B + i) B + j) tiles + t, so that a warp reads and writes neighbours.
__device__ __forceinline__ int64_t partial_index(int64_t slot, int element, int elements, int tiles, int tile) {
  return (slot * elements + element) * tiles + tile;
}

template <int B, int R>
__device__ __forceinline__ void add_parts(RegisterTiles<B, R>& tiles, float (&right)[2], const SystemArguments& a) {
  const int side = a.size / B, count = side * (side + 1) / 2;
  for (int64_t slot = a.first_slots[blockIdx.x]; slot < a.first_slots[blockIdx.x + 1]; ++slot) {
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const int tile = static_cast<int>(threadIdx.x + r * blockDim.x);
      if (!tiles.exists(r)) continue;
#pragma unroll
      for (int i = 0; i < B; ++i)
#pragma unroll
        for (int j = 0; j < B; ++j) tiles.value[r][i][j] += a.sums.sums[partial_index(slot, i * B + j, B * B, count, tile)];
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
      if (j < a.size) right[h] += a.sums.rights[slot * a.size + j];
    }
  }
}

template <int B, int R>
__device__ __forceinline__ void add_shared_matrix(RegisterTiles<B, R>& tiles, const float* matrix, float ridge, int size) {
#pragma unroll
  for (int r = 0; r < R; ++r) {
    if (!tiles.exists(r)) continue;
#pragma unroll
    for (int i = 0; i < B; ++i)
#pragma unroll
      for (int j = 0; j < B; j += 4) {
        const float4 four = *reinterpret_cast<const float4*>(matrix + (B * tiles.row[r] + i) * size + B * tiles.column[r] + j);
        tiles.value[r][i][j] += four.x;
        tiles.value[r][i][j + 1] += four.y;
        tiles.value[r][i][j + 2] += four.z;
        tiles.value[r][i][j + 3] += four.w;
      }
#pragma unroll
    for (int i = 0; i < B; ++i)
      if (tiles.row[r] == tiles.column[r]) tiles.value[r][i][i] += ridge;
  }
}

template <int B, int R>
__device__ __forceinline__ void write_factor(const RegisterTiles<B, R>& tiles, float* factor, int d) {
#pragma unroll
  for (int r = 0; r < R; ++r) {
    if (!tiles.exists(r)) continue;
#pragma unroll
    for (int i = 0; i < B; ++i)
#pragma unroll
      for (int j = 0; j < B; ++j) {
        const int64_t row = B * tiles.row[r] + i, column = B * tiles.column[r] + j;
        if (row >= d || column >= d) continue;
        if (row >= column) factor[row * d + column] = tiles.value[r][i][j];
        if (row > column) factor[column * d + row] = 0;
      }
  }
}

// One block: one row. Floor: pairs (d² / 2 + d) + d³ / 6 multiply-adds at the device's FP32 rate; the gathered rows are 4 d bytes a pair,
// from L2. Shared memory: two chunks of 16 rows, 16 KB at d = 128.
template <int B, int R>
__global__ void __launch_bounds__(R == 1 ? 256 : kMostThreads, R == 1 ? 2 : 1) solve_direct_kernel(const SystemArguments a) {
  float* const memory = dynamic_shared<float>();
  const GatherMemory gather = GatherMemory::at(memory, a.size);
  // The panels of the factorization take the place of the gathered rows.
  const CholeskyScratch<B> scratch = scratch_at<B>(memory, memory + GatherMemory::floats(a.size), a.size);
  const int32_t row = a.rows.rows[blockIdx.x];
  const int64_t begin = a.pairs.offsets[row], end = a.pairs.offsets[row + 1];
  const int side = a.size / B, own = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);

  RegisterTiles<B, R> tiles;
  tiles.take_triangle(side);
  tiles.clear();
  float right[2] = {0, 0};
  if (a.first_slots == nullptr)
    add_pairs(tiles, right, a, begin, end, gather);
  else
    add_parts(tiles, right, a);
  add_shared_matrix(tiles, a.source.shared_matrix, static_cast<float>(a.pairs.ridges[row]), a.size);
  for (int h = 0; h < 2; ++h)
    if (own + h * threads < a.size) scratch.right[own + h * threads] = right[h];
  if (own == 0) *scratch.broken = 0;
  __syncthreads();
  factorize(tiles, side, scratch);
  solve_back(tiles, side, scratch);

  if (*scratch.broken != 0) {
    if (own == 0) atomicMin(a.out.failed, row);
    return;
  }
  const int d = a.source.dimension;
  if (a.out.solved != nullptr)
    for (int j = own; j < d; j += threads) a.out.solved[row * a.out.stride + j] = scratch.right[j];
  if (a.out.cholesky != nullptr) write_factor(tiles, a.out.cholesky + int64_t{row - a.out.first_row} * d * d, d);
}

// One block: one part of a long row.
template <int B, int R>
__global__ void __launch_bounds__(R == 1 ? 256 : kMostThreads, R == 1 ? 2 : 1)
    sum_parts_kernel(const SystemArguments a, const RowPart* parts) {
  float* const memory = dynamic_shared<float>();
  const RowPart part = parts[blockIdx.x];
  const int side = a.size / B, count = side * (side + 1) / 2;
  RegisterTiles<B, R> tiles;
  tiles.take_triangle(side);
  tiles.clear();
  float right[2] = {0, 0};
  add_pairs(tiles, right, a, part.begin, part.end, GatherMemory::at(memory, a.size));
#pragma unroll
  for (int r = 0; r < R; ++r) {
    const int tile = static_cast<int>(threadIdx.x + r * blockDim.x);
    if (!tiles.exists(r)) continue;
#pragma unroll
    for (int i = 0; i < B; ++i)
#pragma unroll
      for (int j = 0; j < B; ++j) a.sums.sums[partial_index(part.slot, i * B + j, B * B, count, tile)] = tiles.value[r][i][j];
  }
  for (int h = 0; h < 2; ++h) {
    const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
    if (j < a.size) a.sums.rights[int64_t{part.slot} * a.size + j] = right[h];
  }
}

// Shared memory of a dual system of `size` pairs. Row i of a buffer stands at i % B * (size / B) + i / B, so that the rows of neighbouring
// tiles are neighbours.
struct DualMemory {
  float* rows;    // [2][size][kDualStride] columns of the eigenbasis, times `scales` and `roots`
  float* scales;  // [stride] 1 / sqrt(alpha0 eigenvalue + ridge)
  float* roots;   // [size] root of the confidence, 0 past the end
  int* columns;   // [size]
  float* rest;

  __host__ __device__ static constexpr int row_floats(int size) {
    return 2 * size * kDualStride > kMostThreads / 32 * kCombinedColumns ? 2 * size * kDualStride : kMostThreads / 32 * kCombinedColumns;
  }
  __host__ __device__ static constexpr int floats(int size, int stride) { return row_floats(size) + stride + 2 * size; }
  __device__ __forceinline__ static DualMemory at(float* memory, int size, int stride) {
    float* scales = memory + row_floats(size);
    return {memory, scales, scales + stride, reinterpret_cast<int*>(scales + stride + size), scales + stride + 2 * size};
  }
};

template <int B>
__device__ __forceinline__ int dual_row(int i, int size) {
  return i % B * (size / B) + i / B;
}

template <int B>
__device__ __forceinline__ void start_dual_copies(const DeviceSource& source, const DualMemory& memory, int chunk, int size) {
  for (int e = threadIdx.x; e < 4 * size; e += blockDim.x) {
    const int i = e / 4, j = chunk * kDualColumns + e % 4 * 4;
    const bool inside = memory.roots[i] > 0 && j < source.stride;
    float* to = memory.rows + (chunk % 2 * size + dual_row<B>(i, size)) * kDualStride + e % 4 * 4;
    copy_async(to, source.rotated + int64_t{memory.columns[i]} * source.stride + (inside ? j : 0), inside ? 16 : 0);
  }
  copy_async_commit();
}

template <int B>
__device__ __forceinline__ void scale_dual_copies(const DeviceSource& source, const DualMemory& memory, int chunk, int size) {
  for (int e = threadIdx.x; e < 4 * size; e += blockDim.x) {
    const int i = e / 4, j = chunk * kDualColumns + e % 4 * 4;
    if (j >= source.stride) continue;
    const float root = memory.roots[i];
    float4& four = *reinterpret_cast<float4*>(memory.rows + (chunk % 2 * size + dual_row<B>(i, size)) * kDualStride + e % 4 * 4);
    const float4 scale = *reinterpret_cast<const float4*>(memory.scales + j);
    four = make_float4(four.x * (root * scale.x), four.y * (root * scale.y), four.z * (root * scale.z), four.w * (root * scale.w));
  }
}

// One tile += Z Zᵀ over kDualColumns columns.
template <int B>
__device__ __forceinline__ void add_inner_products(float (&value)[B][B], int row, int column, const float* rows, int size) {
  const int side = size / B;
#pragma unroll 1
  for (int k = 0; k < kDualColumns; k += 4) {
#pragma unroll
    for (int h = 0; h < B; h += 4) {  // half a tile at a time, to save registers
      float4 a[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) a[i] = *reinterpret_cast<const float4*>(rows + ((h + i) * side + row) * kDualStride + k);
#pragma unroll
      for (int j = 0; j < B; ++j) {
        const float4 b = *reinterpret_cast<const float4*>(rows + (j * side + column) * kDualStride + k);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          value[h + i][j] += a[i].x * b.x;
          value[h + i][j] += a[i].y * b.y;
          value[h + i][j] += a[i].z * b.z;
          value[h + i][j] += a[i].w * b.w;
        }
      }
    }
  }
}

// solved_j = scale_j² times the sum of root_i t_i y_ij: warps share the pairs, and their sums are added in order.
__device__ __forceinline__ void combine(const DeviceSource& source, const DualMemory& memory, const float* t, int length, float* solved) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  for (int first = 0; first < source.stride; first += kCombinedColumns) {
    const int j = first + 4 * lane;
    float4 sum = make_float4(0, 0, 0, 0);
    if (j < source.stride)
#pragma unroll 4
      for (int i = warp; i < length; i += warps) {
        const float4 y = *reinterpret_cast<const float4*>(source.rotated + int64_t{memory.columns[i]} * source.stride + j);
        const float weight = memory.roots[i] * t[i];
        sum = make_float4(sum.x + weight * y.x, sum.y + weight * y.y, sum.z + weight * y.z, sum.w + weight * y.w);
      }
    *reinterpret_cast<float4*>(memory.rows + warp * kCombinedColumns + 4 * lane) = sum;
    __syncthreads();
    for (int c = threadIdx.x; c < kCombinedColumns && first + c < source.dimension; c += blockDim.x) {
      float total = 0;
      for (int w = 0; w < warps; ++w) total += memory.rows[w * kCombinedColumns + c];
      const float scale = memory.scales[first + c];
      solved[first + c] = scale * scale * total;
    }
    __syncthreads();
  }
}

// One block: one row of m pairs. (I + Z Zᵀ) t = sqrt(c) r with Z [m, d]. Floor: m² d / 2 + m³ / 6 + m d multiply-adds.
template <int B, int R>
__global__ void __launch_bounds__(R == 1 ? 256 : kMostThreads, R == 1 ? 2 : 1) solve_dual_kernel(const SystemArguments a) {
  const int size = a.size, side = size / B, own = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const DualMemory memory = DualMemory::at(dynamic_shared<float>(), size, a.source.stride);
  const CholeskyScratch<B> scratch = scratch_at<B>(memory.rows, memory.rest, size);
  const int32_t row = a.rows.rows[blockIdx.x];
  const int64_t begin = a.pairs.offsets[row];
  const auto length = static_cast<int>(a.pairs.offsets[row + 1] - begin);

  for (int i = own; i < size; i += threads) {
    const PairWeights pair = PairWeights::load(a.pairs, begin + i, begin + length);
    memory.columns[i] = pair.column;
    memory.roots[i] = pair.root;
    scratch.right[i] = pair.gain;
  }
  const auto ridge = static_cast<float>(a.pairs.ridges[row]);
  for (int j = own; j < a.source.stride; j += threads) memory.scales[j] = 1 / sqrtf(a.source.diagonal[j] + ridge);
  if (own == 0) *scratch.broken = 0;
  __syncthreads();

  RegisterTiles<B, R> tiles;
  tiles.take_triangle(side);
  tiles.clear();
  const int chunks = (a.source.stride + kDualColumns - 1) / kDualColumns;
  start_dual_copies<B>(a.source, memory, 0, size);
  for (int c = 0; c < chunks; ++c) {
    copy_async_wait<0>();
    scale_dual_copies<B>(a.source, memory, c, size);
    __syncthreads();
    if (c + 1 < chunks) start_dual_copies<B>(a.source, memory, c + 1, size);
    const float* rows = memory.rows + c % 2 * size * kDualStride;
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.exists(r)) add_inner_products<B>(tiles.value[r], tiles.row[r], tiles.column[r], rows, size);
  }
#pragma unroll
  for (int r = 0; r < R; ++r)
#pragma unroll
    for (int i = 0; i < B; ++i)
      if (tiles.exists(r) && tiles.row[r] == tiles.column[r]) tiles.value[r][i][i] += 1;
  __syncthreads();
  factorize(tiles, side, scratch);
  solve_back(tiles, side, scratch);
  if (*scratch.broken != 0) {
    if (own == 0) atomicMin(a.out.failed, row);
    return;
  }
  combine(a.source, memory, scratch.right, length, a.out.solved + row * a.out.stride);
}

// Starts the instance of a kernel that fits the shape. Kernels: a struct whose get<B, R>() is the kernel.
template <typename Kernels, typename... More>
void launch_tiled(const TileShape& shape, int32_t blocks, int64_t shared_floats, const Stream& stream, const SystemArguments& arguments,
                  More... more) {
  if (blocks == 0) return;
  const LaunchShape where{dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(shape.threads)),
                          static_cast<size_t>(shared_floats) * sizeof(float)};
  if (shape.tile == 4)
    launch(stream, where, Kernels::template get<4, 1>(), arguments, more...);
  else if (shape.per_thread == 1)
    launch(stream, where, Kernels::template get<8, 1>(), arguments, more...);
  else
    launch(stream, where, Kernels::template get<8, 2>(), arguments, more...);
}

struct DirectKernels {
  template <int B, int R>
  static constexpr auto get() {
    return solve_direct_kernel<B, R>;
  }
};
struct DualKernels {
  template <int B, int R>
  static constexpr auto get() {
    return solve_dual_kernel<B, R>;
  }
};
struct PartKernels {
  template <int B, int R>
  static constexpr auto get() {
    return sum_parts_kernel<B, R>;
  }
};

int64_t scratch_floats(const TileShape& shape) { return shape.tile == 4 ? scratch_floats<4>(shape.size) : scratch_floats<8>(shape.size); }

}  // namespace

void solve_direct(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                  const Stream& stream) {
  solve_from_parts(pairs, source, rows, nullptr, {}, out, stream);
}

void solve_from_parts(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const int32_t* first_slots,
                      const PartialSums& sums, const DeviceSolutions& out, const Stream& stream) {
  const TileShape shape = tile_shape(source.dimension);
  launch_tiled<DirectKernels>(shape, rows.count, GatherMemory::floats(shape.size) + scratch_floats(shape), stream,
                              {pairs, source, rows, out, sums, first_slots, shape.size});
}

void solve_dual(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const TileShape& shape,
                const DeviceSolutions& out, const Stream& stream) {
  launch_tiled<DualKernels>(shape, rows.count, DualMemory::floats(shape.size, source.stride) + scratch_floats(shape), stream,
                            {pairs, source, rows, out, {}, nullptr, shape.size});
}

void sum_parts(const DevicePairs& pairs, const DeviceSource& source, const RowPart* parts, int32_t count, const PartialSums& sums,
               const Stream& stream) {
  const TileShape shape = tile_shape(source.dimension);
  launch_tiled<PartKernels>(shape, count, GatherMemory::floats(shape.size), stream, {pairs, source, {}, {}, sums, nullptr, shape.size},
                            parts);
}

}  // namespace bouquet::cuda
