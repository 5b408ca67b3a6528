#include "cuda/device_model.h"

#include <utility>

#include "cuda/wait_at_exit.h"

namespace bouquet::cuda {
namespace {

std::shared_ptr<const DeviceRows> longer(const std::shared_ptr<const DeviceRows>& rows, MatrixView<const float> added,
                                         const std::shared_ptr<const Device>& device) {
  return added.rows == 0 ? rows : std::make_shared<const DeviceRows>(rows.get(), added, rows->view().cols, device);
}

}  // namespace

DeviceRows::DeviceRows(const DeviceRows* old, MatrixView<const float> rows, int64_t cols, std::shared_ptr<const Device> device)
    : device_(std::move(device)),
      rows_((old == nullptr ? 0 : old->rows_) + rows.rows),
      cols_(cols),
      stream_(*device_),
      values_(rows_ * cols, stream_) {
  const int64_t kept = rows_ - rows.rows;
  const WaitAtExit wait(stream_);
  if (kept > 0)
    check(cudaMemcpyAsync(values_.data(), old->values_.data(), static_cast<size_t>(kept * cols) * sizeof(float), cudaMemcpyDeviceToDevice,
                          stream_.get()));
  if (rows.rows > 0)
    check(cudaMemcpyAsync(values_.data() + kept * cols, rows.data, static_cast<size_t>(rows.rows * cols) * sizeof(float),
                          cudaMemcpyHostToDevice, stream_.get()));
  stream_.synchronize();
}

DeviceModel::DeviceModel(const Model& model, std::shared_ptr<const Device> device)
    : device_(std::move(device)),
      dimension_(model.dimension),
      loaded_customers_(model.customer_count()),
      constants_(model.constants),
      item_gram_(model.item_gram),
      customer_prior_(model.customer_prior),
      item_prior_(model.item_prior),
      items_(std::make_shared<const DeviceRows>(nullptr, model.item_matrix(), dimension_, device_)),
      profiles_(std::make_shared<const DeviceRows>(nullptr, model.profile_matrix(), dimension_, device_)) {}

DeviceModel::DeviceModel(const DeviceModel& model, const ModelDelta& delta)
    : device_(model.device_),
      dimension_(model.dimension_),
      loaded_customers_(model.loaded_customers_),
      constants_(model.constants_),
      item_gram_(model.item_gram_),
      customer_prior_(model.customer_prior_),
      item_prior_(model.item_prior_),
      items_(longer(model.items_, delta.items, device_)),
      profiles_(longer(model.profiles_, delta.customers, device_)) {}

}  // namespace bouquet::cuda
