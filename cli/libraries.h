// The outside libraries this program runs with, and their versions, as the libraries themselves say where they can.
#pragma once

#include <string>
#include <vector>

namespace bouquet::cli {

struct Library {
  std::string name;
  std::string version;
  std::string used_for;
};

std::vector<Library> libraries();

}  // namespace bouquet::cli
