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

// Immutable once it is made. Keeps its device.
class DeviceModel {
 public:
  // Copies a model that validate() accepts and waits for the copies. Throws CudaError.
  DeviceModel(const Model& model, std::shared_ptr<const Device> device);

  const Device& device() const { return *device_; }
  int32_t dimension() const { return dimension_; }
  DeviceMatrix items() const { return {items_.data(), item_count_, dimension_}; }
  DeviceMatrix profiles() const { return {profiles_.data(), customer_count_, dimension_}; }
  DeviceMatrix ranked(Side side) const { return side == Side::kItems ? items() : profiles(); }
  DeviceMatrix asking(Side side) const { return side == Side::kItems ? profiles() : items(); }
  // What rows of `solved` are solved against.
  DeviceMatrix fixed(Side solved) const { return solved == Side::kItems ? profiles() : items(); }

  // What fold-in needs besides these: on the host.
  const ModelConstants& constants() const { return constants_; }
  const SharedArray<float>& item_gram() const { return item_gram_; }
  const AttributePrior& prior(Side solved) const { return solved == Side::kItems ? item_prior_ : customer_prior_; }
  int32_t prior_columns(Side solved) const { return prior(solved).column_count(dimension_); }

 private:
  const std::shared_ptr<const Device> device_;
  const int32_t dimension_;
  const int64_t item_count_, customer_count_;
  const ModelConstants constants_;
  const SharedArray<float> item_gram_;
  const AttributePrior customer_prior_, item_prior_;
  const Stream stream_;  // what the arrays are freed on
  DeviceArray<float> items_, profiles_;
};

}  // namespace bouquet::cuda
