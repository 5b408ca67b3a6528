#include "cuda/device_model.h"

#include <utility>

namespace bouquet::cuda {

DeviceModel::DeviceModel(const Model& model, std::shared_ptr<const Device> device)
    : device_(std::move(device)),
      dimension_(model.dimension),
      item_count_(model.item_count()),
      customer_count_(model.customer_count()),
      constants_(model.constants),
      item_gram_(model.item_gram),
      customer_prior_(model.customer_prior),
      item_prior_(model.item_prior),
      stream_(*device_),
      items_(model.item_vectors.size(), stream_),
      profiles_(model.profiles.size(), stream_) {
  items_.upload(model.item_vectors.view());
  profiles_.upload(model.profiles.view());
  stream_.synchronize();
}

}  // namespace bouquet::cuda
