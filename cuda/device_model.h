// A model's arrays in device memory, as rankers and profilers read them.
#pragma once

#include <cstdint>
#include <memory>

#include "cuda/device.h"
#include "cuda/device_array.h"
#include "cuda/stream.h"
#include "engine/backend.h"
#include "engine/model.h"

namespace bouquet::cuda {

// A dense row-major matrix on the device.
struct DeviceMatrix {
  const float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
};

// The vectors of one side. Immutable once they are made. Keep their device.
class DeviceRows {
 public:
  // Copies `rows` [n, cols], and before them the rows of `old`, which has as many columns, if there is one; waits for the copies. Throws
  // CudaError.
  DeviceRows(const DeviceRows* old, MatrixView<const float> rows, int64_t cols, std::shared_ptr<const Device> device);
  ~DeviceRows() { device_->use_to_release(); }

  DeviceMatrix view() const { return {values_.data(), rows_, cols_}; }

 private:
  const std::shared_ptr<const Device> device_;
  const int64_t rows_, cols_;
  const Stream stream_;  // what the array is freed on
  DeviceArray<float> values_;
};

// Immutable once it is made. Keeps its device.
class DeviceModel {
 public:
  // Copies a model that validate() accepts and waits for the copies. Throws CudaError.
  DeviceModel(const Model& model, std::shared_ptr<const Device> device);
  // `model` with more rows, which validate() accepts; a side that gets none is shared. Waits for the copies. Throws CudaError.
  DeviceModel(const DeviceModel& model, const ModelDelta& delta);

  const Device& device() const { return *device_; }
  int32_t dimension() const { return dimension_; }
  DeviceMatrix items() const { return items_->view(); }
  DeviceMatrix profiles() const { return profiles_->view(); }
  DeviceMatrix ranked(Side side) const { return side == Side::kItems ? items() : profiles(); }
  DeviceMatrix asking(Side side) const { return side == Side::kItems ? profiles() : items(); }
  // What rows of `solved` are solved against. Who reads it for longer than this model lives keeps it.
  DeviceMatrix fixed(Side solved) const { return fixed_rows(solved)->view(); }
  const std::shared_ptr<const DeviceRows>& fixed_rows(Side solved) const { return solved == Side::kItems ? profiles_ : items_; }
  // Of the profiles those that the model was loaded with: their Gram matrix is of these.
  int64_t loaded_customers() const { return loaded_customers_; }

  // What fold-in needs besides these: on the host.
  const ModelConstants& constants() const { return constants_; }
  const SharedArray<float>& item_gram() const { return item_gram_; }
  const AttributePrior& prior(Side solved) const { return solved == Side::kItems ? item_prior_ : customer_prior_; }
  int32_t prior_columns(Side solved) const { return prior(solved).column_count(dimension_); }

 private:
  const std::shared_ptr<const Device> device_;
  const int32_t dimension_;
  const int64_t loaded_customers_;  // not those added later
  const ModelConstants constants_;
  const SharedArray<float> item_gram_;
  const AttributePrior customer_prior_, item_prior_;
  const std::shared_ptr<const DeviceRows> items_, profiles_;
};

}  // namespace bouquet::cuda
