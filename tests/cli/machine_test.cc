#include "cli/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bouquet::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MachineTest : public ::testing::Test {
 protected:
  MachineTest() : root_(std::filesystem::temp_directory_path() / ("bouquet_machine_" + std::to_string(getpid()))) {}
  ~MachineTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  std::filesystem::path root_;
};

TEST_F(MachineTest, ReadsModelAndFeaturesInItsOwnOrder) {
  write("proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Some CPU: fast\nflags\t\t: fpu fma avx2 avx\n\nprocessor\t: 1\nmodel name\t: Other\n");
  const Machine machine = read_machine(root_);
  EXPECT_EQ(machine.cpu_model, "Some CPU: fast");
  EXPECT_THAT(machine.cpu_features, ElementsAre("avx", "avx2", "fma"));
}

TEST_F(MachineTest, ReadsMemoryAndTheLimitsOfAContainer) {
  write("proc/meminfo", "MemTotal:       2000 kB\nMemFree:         1 kB\nMemAvailable:    1500 kB\n");
  write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/memory.max", "1048576\n");
  const Machine machine = read_machine(root_);
  EXPECT_EQ(machine.memory_bytes, 2000 * 1024);
  EXPECT_EQ(machine.memory_available_bytes, 1500 * 1024);
  EXPECT_DOUBLE_EQ(machine.core_quota, 1.5);
  EXPECT_EQ(machine.memory_limit_bytes, 1048576);
}

TEST_F(MachineTest, MaxIsNoLimit) {
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/memory.max", "max\n");
  const Machine machine = read_machine(root_);
  EXPECT_EQ(machine.core_quota, 0);
  EXPECT_EQ(machine.memory_limit_bytes, 0);
}

TEST_F(MachineTest, AMachineThatSaysNothingIsNoError) {
  const Machine machine = read_machine(root_);
  EXPECT_EQ(machine.cpu_model, "unknown");
  EXPECT_THAT(machine.cpu_features, IsEmpty());
  EXPECT_EQ(machine.memory_bytes, 0);
  EXPECT_GE(machine.usable_cores, 1);
}

}  // namespace
}  // namespace bouquet::cli
