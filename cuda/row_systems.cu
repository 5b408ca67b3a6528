#include "cuda/row_systems.h"

#include "cuda/launch.h"
#include "cuda/pair_gather.h"
#include "cuda/register_tiles.h"

namespace bouquet::cuda {
namespace {

constexpr int kMostThreads = 256;  // two tiles of 8 x 8 each hold 248 unknowns, one of 12 x 12 each 264
constexpr int kDualColumns = 16;   // of the eigenbasis at a time
constexpr int kDualStride = 20;    // floats from row to row: no two of eight rows meet in a bank
constexpr int kCombinedColumns = 128;

// Shared memory after the staging buffers; the panels of a factorization take the place of what was staged.
template <int B, int W>
__device__ __forceinline__ CholeskyScratch<B> scratch_at(float* panel, float* rest) {
  return {panel, rest + W, rest, reinterpret_cast<int*>(rest + W + B * B)};
}
template <int B, int W>
constexpr int kScratchFloats = W + B* B + 4;

// Tiles of up to 64 numbers a thread leave the registers for a second block, and for two steps at a time.
template <int B, int R>
constexpr int kBlocksAtLeast = B* B* R <= 64 ? 2 : 1;

// tiles += sum of c y yᵀ, right += sum of c r y over pairs [begin, end). Thread t holds rights t and t + blockDim.x.
template <int B, int R, int W>
__device__ __forceinline__ void add_pairs(RegisterTiles<B, R>& tiles, float (&right)[2], const SystemArguments& a, int64_t begin, int count,
                                          const GatherMemory<B, W>& memory) {
  gather_pairs(a.pairs, a.source, begin, count, memory, {a.size}, [&](const float* rows, const float* gains) {
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.exists(r))
        add_outer_products<Sign::kAdd, kGatherRows, W, kBlocksAtLeast<B, R>>(tiles.value[r], tiles.row[r], tiles.column[r], rows, rows);
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
      if (j >= a.size) break;
#pragma unroll(kBlocksAtLeast <B, R> == 2 ? kGatherRows : 4)
      for (int k = 0; k < kGatherRows; ++k) right[h] += gains[k] * rows[k * RowLayout<B, W>::kStride + position<B, W>(j)];
    }
  });
}

// Element (i, j) of tile t of slot s stands at ((s B + i) B + j) tiles + t, so that a warp reads and writes neighbours. This is where t's
// first element stands, its next one `tiles` further.
template <int B>
__device__ __forceinline__ int64_t partial_begin(int64_t slot, int tiles, int tile) {
  return slot * (B * B) * tiles + tile;
}

template <int B, int R>
__device__ __forceinline__ void add_parts(RegisterTiles<B, R>& tiles, float (&right)[2], const SystemArguments& a) {
  const int side = a.size / B, count = side * (side + 1) / 2;
  for (int64_t slot = a.first_slots[blockIdx.x]; slot < a.first_slots[blockIdx.x + 1]; ++slot) {
    // First, or compute capability 10.0 has too few registers.
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
      if (j < a.size) right[h] += a.sums.rights[slot * a.size + j];
    }
#pragma unroll
    for (int r = 0; r < R; ++r) {
      if (!tiles.exists(r)) continue;
      const float* from = a.sums.sums + partial_begin<B>(slot, count, static_cast<int>(threadIdx.x + r * blockDim.x));
#pragma unroll
      for (int i = 0; i < B; ++i)
#pragma unroll
        for (int j = 0; j < B; ++j, from += count) tiles.value[r][i][j] += *from;
    }
  }
}

template <int B, int R>
__device__ __forceinline__ void write_part(const RegisterTiles<B, R>& tiles, const float (&right)[2], const SystemArguments& a,
                                           int64_t slot) {
  // The rights first, as in add_parts().
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
    if (j < a.size) a.sums.rights[slot * a.size + j] = right[h];
  }
  const int side = a.size / B, count = side * (side + 1) / 2;
#pragma unroll
  for (int r = 0; r < R; ++r) {
    if (!tiles.exists(r)) continue;
    float* const to = a.sums.sums + partial_begin<B>(slot, count, static_cast<int>(threadIdx.x + r * blockDim.x));
#pragma unroll
    for (int i = 0; i < B; ++i)
#pragma unroll
      for (int j = 0; j < B; ++j) to[(i * B + j) * count] = tiles.value[r][i][j];
  }
}

// The tiles begin with it, so that its numbers need no registers of their own.
template <int B, int R>
__device__ __forceinline__ void begin_with_shared_matrix(RegisterTiles<B, R>& tiles, const float* matrix, float ridge, int size) {
#pragma unroll
  for (int r = 0; r < R; ++r) {
    const float* from = matrix + (tiles.exists(r) ? B * (tiles.row[r] * size + tiles.column[r]) : 0);
#pragma unroll
    for (int i = 0; i < B; ++i, from += size)
#pragma unroll
      for (int j = 0; j < B; j += 4) {
        const float4 four = *reinterpret_cast<const float4*>(from + j);
        tiles.value[r][i][j] = four.x;
        tiles.value[r][i][j + 1] = four.y;
        tiles.value[r][i][j + 2] = four.z;
        tiles.value[r][i][j + 3] = four.w;
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
        if (row < d && row >= column) factor[row * d + column] = tiles.value[r][i][j];
      }
  }
  // The zeros by themselves, when nobody needs registers any more.
  for (int row = 0; row < d; ++row)
    for (int column = row + 1 + static_cast<int>(threadIdx.x); column < d; column += static_cast<int>(blockDim.x))
      factor[int64_t{row} * d + column] = 0;
}

// Rights begin with ridge m, before the tiles take the registers; with 0 where there is no prior.
__device__ __forceinline__ void begin_with_means(float (&right)[2], const SystemArguments& a) {
  right[0] = right[1] = 0;
  if (a.pairs.means == nullptr) return;
  const int32_t row = a.rows.rows[blockIdx.x];
  const auto ridge = static_cast<float>(a.pairs.ridges[row]);
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
    if (j < a.source.dimension) right[h] = ridge * a.pairs.means[int64_t{row} * a.source.stride + j];
  }
}

// The whole system of the block's row, its right side in shared memory.
template <int W, bool kFromParts, int B, int R>
__device__ __forceinline__ void sum_row(RegisterTiles<B, R>& tiles, const SystemArguments& a, float* memory, float* right_side) {
  float right[2];
  begin_with_means(right, a);
  const int32_t row = a.rows.rows[blockIdx.x];
  begin_with_shared_matrix(tiles, a.source.shared_matrix, static_cast<float>(a.pairs.ridges[row]), a.size);
  if constexpr (kFromParts) {
    add_parts(tiles, right, a);
  } else {
    const int64_t begin = a.pairs.offsets[row];
    add_pairs(tiles, right, a, begin, static_cast<int>(a.pairs.offsets[row + 1] - begin), GatherMemory<B, W>::at(memory));
  }
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int j = static_cast<int>(threadIdx.x + h * blockDim.x);
    if (j < a.size) right_side[j] = right[h];
  }
}

// One block: one row. Floor: pairs (d² / 2 + d) + d³ / 6 multiply-adds at the device's FP32 rate; the gathered rows are 4 d bytes a pair,
// from L2. Shared memory: two chunks of 16 rows, 16 KB at d = 128. Rows in parts have an instance of their own: together the two ways
// take more registers than there are where a thread has 144 numbers.
template <int B, int R, int W, bool kFromParts>
__global__ void __launch_bounds__(kMostThreads, kFromParts ? 1 : kBlocksAtLeast<B, R>) solve_direct_kernel(const SystemArguments a) {
  float* const memory = dynamic_shared<float>();
  const CholeskyScratch<B> scratch = scratch_at<B, W>(memory, memory + GatherMemory<B, W>::kFloats);
  RegisterTiles<B, R> tiles;
  tiles.take_triangle(a.size / B);
  sum_row<W, kFromParts>(tiles, a, memory, scratch.right);
  if (threadIdx.x == 0) *scratch.broken = 0;
  __syncthreads();
  factorize<W>(tiles, a.size / B, scratch);
  solve_back(tiles, a.size / B, scratch);

  const int32_t row = a.rows.rows[blockIdx.x];  // read again: registers are scarce before
  if (*scratch.broken != 0) {
    if (threadIdx.x == 0) atomicMin(a.out.failed, row);
    return;
  }
  const int d = a.source.dimension;
  if (a.out.solved != nullptr)
    for (int j = threadIdx.x; j < d; j += blockDim.x) a.out.solved[row * a.out.stride + j] = scratch.right[j];
  if (a.out.cholesky != nullptr) write_factor(tiles, a.out.cholesky + int64_t{row - a.out.first_row} * d * d, d);
}

// One block: one part of a long row.
template <int B, int R, int W>
__global__ void __launch_bounds__(kMostThreads, kBlocksAtLeast<B, R>) sum_parts_kernel(const SystemArguments a, const RowPart* parts) {
  float* const memory = dynamic_shared<float>();
  const RowPart part = parts[blockIdx.x];
  RegisterTiles<B, R> tiles;
  tiles.take_triangle(a.size / B);
  tiles.clear();
  float right[2] = {0, 0};
  add_pairs(tiles, right, a, part.begin, part.count, GatherMemory<B, W>::at(memory));
  write_part(tiles, right, a, part.slot);
}

// Shared memory of a dual system of up to W pairs. Row i of a buffer stands at i % B * (W / B) + i / B, so that the rows of neighbouring
// tiles are neighbours.
template <int B, int W>
struct DualMemory {
  static constexpr int kChunk = W * kDualStride;
  static constexpr int kCombined = kMostThreads / 32 * kCombinedColumns;
  static constexpr int kRows = 2 * kChunk > kCombined ? 2 * kChunk : kCombined;
  static constexpr int kFloats = kRows + 2 * W;  // and the scales

  float* rows;    // [2][W][kDualStride] columns of the eigenbasis, times `scales` and `roots`
  float* roots;   // [W] root of the confidence, 0 past the end
  int* columns;   // [W]
  float* scales;  // [stride] 1 / sqrt(alpha0 eigenvalue + ridge)

  __device__ __forceinline__ static DualMemory at(float* memory) {
    float* roots = memory + kRows;
    return {memory, roots, reinterpret_cast<int*>(roots + W), roots + 2 * W};
  }
  __device__ __forceinline__ static int row_at(int i) { return (i % B * (W / B) + i / B) * kDualStride; }
};

template <int B, int W>
__device__ __forceinline__ void start_dual_copies(const DeviceSource& source, const DualMemory<B, W>& memory, int chunk, int size) {
  for (int e = threadIdx.x; e < 4 * size; e += blockDim.x) {
    const int i = e / 4, j = chunk * kDualColumns + e % 4 * 4;
    const bool inside = memory.roots[i] > 0 && j < source.stride;
    float* to = memory.rows + chunk % 2 * memory.kChunk + memory.row_at(i) + e % 4 * 4;
    copy_async(to, source.rotated + int64_t{memory.columns[i]} * source.stride + (inside ? j : 0), inside ? 16 : 0);
  }
  copy_async_commit();
}

template <int B, int W>
__device__ __forceinline__ void scale_dual_copies(const DeviceSource& source, const DualMemory<B, W>& memory, int chunk, int size) {
  for (int e = threadIdx.x; e < 4 * size; e += blockDim.x) {
    const int i = e / 4, j = chunk * kDualColumns + e % 4 * 4;
    if (j >= source.stride) continue;
    const float root = memory.roots[i];
    float4& four = *reinterpret_cast<float4*>(memory.rows + chunk % 2 * memory.kChunk + memory.row_at(i) + e % 4 * 4);
    const float4 scale = *reinterpret_cast<const float4*>(memory.scales + j);
    four = make_float4(four.x * (root * scale.x), four.y * (root * scale.y), four.z * (root * scale.z), four.w * (root * scale.w));
  }
}

// One tile += Z Zᵀ over kDualColumns columns.
template <int W, int B>
__device__ __forceinline__ void add_inner_products(float (&value)[B][B], int row, int column, const float* rows) {
  constexpr int kNext = W / B * kDualStride;  // floats from one row of a tile to the next
  const float* const left = rows + row * kDualStride;
  const float* const right = rows + column * kDualStride;
#pragma unroll 1
  for (int k = 0; k < kDualColumns; k += 4) {
    float4 a[B];
#pragma unroll
    for (int i = 0; i < B; ++i) a[i] = *reinterpret_cast<const float4*>(left + i * kNext + k);
#pragma unroll
    for (int j = 0; j < B; ++j) {
      const float4 b = *reinterpret_cast<const float4*>(right + j * kNext + k);
#pragma unroll
      for (int i = 0; i < B; ++i) {
        value[i][j] += a[i].x * b.x;
        value[i][j] += a[i].y * b.y;
        value[i][j] += a[i].z * b.z;
        value[i][j] += a[i].w * b.w;
      }
    }
  }
}

// right_i -= the inner product of row i of Z and w = B^(-1/2) ridge m (docs/algorithms/attributes.md). A warp takes whole rows. A barrier
// must follow before `right` is read.
template <int B, int W>
__device__ __forceinline__ void subtract_means(const DeviceSource& source, const DualMemory<B, W>& memory, const float* mean, float ridge,
                                               int length, float* right) {
  const int lane = threadIdx.x % 32;
  for (int i = threadIdx.x / 32; i < length; i += blockDim.x / 32) {
    const float* y = source.rotated + int64_t{memory.columns[i]} * source.stride;
    float sum = 0;
    for (int j = lane; j < source.dimension; j += 32) {
      const float scale = memory.scales[j];
      sum += y[j] * (scale * scale * mean[j]);
    }
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, step);
    if (lane == 0) right[i] -= memory.roots[i] * ridge * sum;
  }
}

// solved_j = scale_j² times the sum of root_i t_i y_ij, and of ridge m_j where there is a mean: warps share the pairs, and their sums are
// added in order.
template <int B, int W>
__device__ __forceinline__ void combine(const DeviceSource& source, const DualMemory<B, W>& memory, const float* t, int length,
                                        const float* mean, float ridge, float* solved) {
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
      if (mean != nullptr) total += ridge * mean[first + c];
      const float scale = memory.scales[first + c];
      solved[first + c] = scale * scale * total;
    }
    __syncthreads();
  }
}

// One block: one row of m pairs. (I + Z Zᵀ) t = sqrt(c) r with Z [m, d]. Floor: m² d / 2 + m³ / 6 + m d multiply-adds.
template <int B, int R, int W>
__global__ void __launch_bounds__(kMostThreads, kBlocksAtLeast<B, R>) solve_dual_kernel(const SystemArguments a) {
  const int size = a.size, side = size / B, own = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const auto memory = DualMemory<B, W>::at(dynamic_shared<float>());
  const CholeskyScratch<B> scratch = scratch_at<B, W>(memory.rows, memory.scales + a.source.stride);
  const int32_t row = a.rows.rows[blockIdx.x];
  const int64_t begin = a.pairs.offsets[row];
  const auto length = static_cast<int>(a.pairs.offsets[row + 1] - begin);

  for (int i = own; i < size; i += threads) {
    const PairWeights pair = PairWeights::load(a.pairs, begin, i, length);
    memory.columns[i] = pair.column;
    memory.roots[i] = pair.root;
    scratch.right[i] = pair.gain;
  }
  const auto ridge = static_cast<float>(a.pairs.ridges[row]);
  for (int j = own; j < a.source.stride; j += threads) memory.scales[j] = 1 / sqrtf(a.source.diagonal[j] + ridge);
  if (own == 0) *scratch.broken = 0;
  __syncthreads();
  if (a.pairs.means != nullptr)
    subtract_means(a.source, memory, a.pairs.means + int64_t{row} * a.source.stride, ridge, length, scratch.right);

  RegisterTiles<B, R> tiles;
  tiles.take_triangle(side);
  tiles.clear();
  const int chunks = (a.source.stride + kDualColumns - 1) / kDualColumns;
  start_dual_copies(a.source, memory, 0, size);
  for (int c = 0; c < chunks; ++c) {
    copy_async_wait<0>();
    scale_dual_copies(a.source, memory, c, size);
    __syncthreads();
    if (c + 1 < chunks) start_dual_copies(a.source, memory, c + 1, size);
    const float* rows = memory.rows + c % 2 * memory.kChunk;
#pragma unroll
    for (int r = 0; r < R; ++r)
      if (tiles.exists(r)) add_inner_products<W>(tiles.value[r], tiles.row[r], tiles.column[r], rows);
  }
#pragma unroll
  for (int r = 0; r < R; ++r)
#pragma unroll
    for (int i = 0; i < B; ++i)
      if (tiles.exists(r) && tiles.row[r] == tiles.column[r]) tiles.value[r][i][i] += 1;
  factorize<W>(tiles, side, scratch);
  solve_back(tiles, side, scratch);
  if (*scratch.broken != 0) {
    if (own == 0) atomicMin(a.out.failed, row);
    return;
  }
  const float* mean = a.pairs.means == nullptr ? nullptr : a.pairs.means + int64_t{row} * a.source.stride;
  combine(a.source, memory, scratch.right, length, mean, static_cast<float>(a.pairs.ridges[row]), a.out.solved + row * a.out.stride);
}

// Starts the instance of a kernel that fits the shape, with the shared memory that it takes beside `more_floats`.
template <typename Kernel, typename... More>
void launch_tiled(const TileShape& shape, int32_t blocks, int64_t more_floats, const Stream& stream, const SystemArguments& arguments,
                  More... more) {
  if (blocks == 0) return;
  const auto start = [&]<int B, int R, int W>() {
    const auto bytes = static_cast<size_t>(Kernel::template floats<B, W>() + more_floats) * sizeof(float);
    launch<Kernel::template get<B, R, W>()>(
        stream, {dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(shape.threads)), bytes}, arguments, more...);
  };
  if (shape.tile == 4)
    start.template operator()<4, 1, 64>();
  else if (shape.size <= 128)
    start.template operator()<8, 1, 128>();
  else if (shape.size <= 176)
    start.template operator()<8, 1, 176>();
  else if (shape.tile == 8)
    start.template operator()<8, 2, 256>();
  else if constexpr (Kernel::kTakesTwelves)
    start.template operator()<12, 1, 264>();
}

template <bool kFromParts>
struct DirectKernel {
  static constexpr bool kTakesTwelves = true;
  template <int B, int W>
  static constexpr int floats() {
    return GatherMemory<B, W>::kFloats + kScratchFloats<B, W>;
  }
  template <int B, int R, int W>
  static constexpr auto get() {
    return solve_direct_kernel<B, R, W, kFromParts>;
  }
};
struct PartKernel {
  static constexpr bool kTakesTwelves = true;
  template <int B, int W>
  static constexpr int floats() {
    return GatherMemory<B, W>::kFloats;
  }
  template <int B, int R, int W>
  static constexpr auto get() {
    return sum_parts_kernel<B, R, W>;
  }
};
struct DualKernel {
  static constexpr bool kTakesTwelves = false;  // kLongestDualRow
  template <int B, int W>
  static constexpr int floats() {
    return DualMemory<B, W>::kFloats + kScratchFloats<B, W>;
  }
  template <int B, int R, int W>
  static constexpr auto get() {
    return solve_dual_kernel<B, R, W>;
  }
};

}  // namespace

void solve_direct(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const DeviceSolutions& out,
                  const Stream& stream) {
  const TileShape shape = tile_shape(source.dimension);
  launch_tiled<DirectKernel<false>>(shape, rows.count, 0, stream, {pairs, source, rows, out, {}, nullptr, shape.size});
}

void solve_from_parts(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const int32_t* first_slots,
                      const PartialSums& sums, const DeviceSolutions& out, const Stream& stream) {
  const TileShape shape = tile_shape(source.dimension);
  launch_tiled<DirectKernel<true>>(shape, rows.count, 0, stream, {pairs, source, rows, out, sums, first_slots, shape.size});
}

void solve_dual(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, const TileShape& shape,
                const DeviceSolutions& out, const Stream& stream) {
  launch_tiled<DualKernel>(shape, rows.count, source.stride, stream, {pairs, source, rows, out, {}, nullptr, shape.size});
}

void sum_parts(const DevicePairs& pairs, const DeviceSource& source, const RowPart* parts, int32_t count, const PartialSums& sums,
               const Stream& stream) {
  const TileShape shape = tile_shape(source.dimension);
  launch_tiled<PartKernel>(shape, count, 0, stream, {pairs, source, {}, {}, sums, nullptr, shape.size}, parts);
}

}  // namespace bouquet::cuda
