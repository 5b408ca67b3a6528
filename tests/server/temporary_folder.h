// A fresh folder that goes when the test ends, on a disk. Its path is short enough for a Unix socket.
#pragma once

#include <string>

#include "engine/scratch_folder.h"

namespace bouquet::server {

class TemporaryFolder {
 public:
  const std::string& path() const { return scratch_.path(); }

 private:
  ScratchFolder scratch_ = *ScratchFolder::make("test");
};

}  // namespace bouquet::server
