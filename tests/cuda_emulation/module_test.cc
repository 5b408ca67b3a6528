// The program's side of the module: opening it, refusing what is not ours, and what --backend does with the answer. The module that is
// opened is the real one's sources on the emulation.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/backends.h"
#include "cli/cuda_diagnosis.h"
#include "cli/cuda_module.h"
#include "cli/nvidia_driver.h"
#include "engine/errors.h"
#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"
#include "tests/conformance/small_shop.h"

namespace bouquet {
namespace {

using testing::HasSubstr;

class CudaModule : public testing::Test {
 protected:
  void SetUp() override { set("BOUQUET_CUDA_MODULE", EMULATED_MODULE); }
  void TearDown() override {
    for (const std::string& name : set_) unsetenv(name.c_str());
  }
  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }

 private:
  std::vector<std::string> set_;
};

// The driver of this machine, until the end of the scope.
class OtherDriver {
 public:
  OtherDriver() : library_(dlopen(OTHER_DRIVER, RTLD_NOW | RTLD_LOCAL)) { EXPECT_NE(library_, nullptr) << dlerror(); }
  ~OtherDriver() { dlclose(library_); }
  OtherDriver(const OtherDriver&) = delete;
  OtherDriver& operator=(const OtherDriver&) = delete;

 private:
  void* const library_;
};

void expect_refused(const BackendChoice& choice, absl::StatusCode code, const std::string& message) {
  const absl::Status status = make_backend(choice).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(message_of(status)), HasSubstr(message));
}

std::string auto_takes() {
  const auto backend = make_backend({.name = "auto", .threads = 1});
  return backend.ok() ? std::string((*backend)->name()) : std::string(message_of(backend.status()));
}

TEST_F(CudaModule, RanksThroughTheOpenedModule) {
  const auto data = conformance::ranking_data(conformance::Hardness::kGaussian, 3, 100, 8);
  const auto backend = make_backend({.name = "cuda"});
  ASSERT_TRUE(backend.ok()) << backend.status();
  const auto model = (*backend)->load(conformance::ranking_model(data));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = 3, .max_k = 10});
  ASSERT_TRUE(ranker.ok()) << ranker.status();
  const std::vector<int32_t> rows = {0, 1, 2};
  conformance::expect_as_oracle(**ranker, data.asking_matrix(), data.ranked_matrix(), {.rows = rows, .k = 10});
}

TEST_F(CudaModule, SaysWhatATrainingNeedsWithoutADevice) {
  set("EMULATION_NO_DEVICE", "1");
  const auto planner = make_backend({.name = "cuda", .planning = true});
  ASSERT_TRUE(planner.ok()) << planner.status();
  const Interactions shop = conformance::small_shop({});
  EXPECT_GT((*planner)->training_memory(shop, {}).total(), int64_t{shop.customer_count()} * 128 * 4);
  EXPECT_TRUE(absl::IsUnavailable((*planner)->start_training(shop, {}).status()));
  EXPECT_TRUE(absl::IsUnavailable((*planner)->load({}).status()));
}

TEST_F(CudaModule, RefusesAnOptionOfAnotherBackendThanTheNamedOne) {
  expect_refused({.name = "cuda", .threads = 4}, absl::StatusCode::kUnimplemented, "--threads 4 with --backend cuda");
  expect_refused({.name = "cpu", .device = 1}, absl::StatusCode::kUnimplemented, "--device 1 with --backend cpu");
}

// One command line for machines with and without a device.
TEST_F(CudaModule, AutoGoesOnWithAnOptionOfTheBackendThatItDoesNotTakeAndSaysSo) {
  testing::internal::CaptureStderr();
  EXPECT_EQ((*make_backend({.name = "auto", .threads = 4}))->name(), "cuda");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bouquet: --backend auto takes cuda; --threads 4 is for the cpu backend\n");
  set("EMULATION_NO_DEVICE", "1");
  testing::internal::CaptureStderr();
  EXPECT_EQ((*make_backend({.name = "auto", .threads = 1, .device = 1}))->name(), "cpu");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bouquet: --backend auto takes cpu; --device 1 is for the cuda backend\n");
}

TEST_F(CudaModule, AutoTakesTheDeviceThatIsThere) { EXPECT_EQ(auto_takes(), "cuda"); }

TEST_F(CudaModule, AutoTakesTheCpuWhereTheDeviceIsAbsent) {
  set("EMULATION_NO_DEVICE", "1");
  EXPECT_EQ(auto_takes(), "cpu");
  expect_refused({.name = "cuda"}, absl::StatusCode::kUnavailable, "no CUDA device");
}

TEST_F(CudaModule, AutoTakesTheCpuWhereThereIsNeitherModuleNorDevice) {
  set("BOUQUET_CUDA_MODULE", "/no/such/module.so");
  EXPECT_EQ(auto_takes(), "cpu");
  expect_refused({.name = "cuda"}, absl::StatusCode::kUnavailable, "there is no CUDA module /no/such/module.so");
}

TEST_F(CudaModule, AutoSaysWhyItTakesTheCpuWhereThereIsADriver) {
  const OtherDriver driver;
  set("EMULATION_NO_DEVICE", "1");
  testing::internal::CaptureStderr();
  EXPECT_EQ(auto_takes(), "cpu");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("bouquet: --backend auto takes cpu: there is no CUDA device"));
}

// A program that was built with the module has lost it; one that was built without cannot have it, and says so.
TEST_F(CudaModule, WhereThereIsADeviceAMissingModuleIsNotPassedOverInSilence) {
  const OtherDriver driver;
  set("OTHER_DRIVER_DEVICES", "1");
  set("BOUQUET_CUDA_MODULE", "/no/such/module.so");
  testing::internal::CaptureStderr();
  const std::string taken = auto_takes();
  const std::string said = testing::internal::GetCapturedStderr();
  if (BUILT_WITH_CUDA) {
    EXPECT_THAT(taken, HasSubstr("there is a CUDA device, and the module belongs to this program"));
  } else {
    EXPECT_EQ(taken, "cpu");
    EXPECT_THAT(said, HasSubstr("this program was built without CUDA"));
  }
}

TEST_F(CudaModule, ADriverThatDoesNotWorkIsNotPassedOverInSilence) {
  const OtherDriver driver;
  set("OTHER_DRIVER_ERROR", "803");
  set("BOUQUET_CUDA_MODULE", "/no/such/module.so");
  if (BUILT_WITH_CUDA) {
    EXPECT_THAT(auto_takes(), testing::AllOf(HasSubstr("the NVIDIA driver does not work"), HasSubstr("803")));
  }
  set("OTHER_DRIVER_ERROR", "100");  // it works, and has no device
  EXPECT_EQ(auto_takes(), "cpu");
}

TEST_F(CudaModule, AutoRefusesWhatIsThereAndCannotBeUsed) {
  set("EMULATION_DRIVER", "11080");
  EXPECT_THAT(auto_takes(), HasSubstr("too old"));
}

TEST_F(CudaModule, AutoRefusesADeviceThatIsTooOld) {
  set("EMULATION_CAPABILITY", "61");
  EXPECT_THAT(auto_takes(), HasSubstr("compute capability 6.1) is too old"));
}

TEST_F(CudaModule, AModuleOfAnotherBuildIsRefused) {
  set("BOUQUET_CUDA_MODULE", MODULE_OF_ANOTHER_BUILD);
  expect_refused({.name = "cuda"}, absl::StatusCode::kResourceExhausted,
                 "is of build 0.0.1-of-another-build, this program of build " + std::string(build_id()));
  EXPECT_THAT(auto_takes(), HasSubstr("of build 0.0.1"));
}

TEST_F(CudaModule, ALibraryThatIsNoModuleIsRefused) {
  set("BOUQUET_CUDA_MODULE", NO_MODULE);
  expect_refused({.name = "cuda"}, absl::StatusCode::kResourceExhausted, "is not a module of Bouquet");
}

TEST_F(CudaModule, AFileThatIsNoLibraryIsRefusedWithItsName) {
  const std::string path = testing::TempDir() + "/not_a_library.so";
  std::ofstream(path) << "text";
  set("BOUQUET_CUDA_MODULE", path);
  EXPECT_THAT(std::string(message_of(make_backend({.name = "cuda"}).status())), HasSubstr(path));
}

TEST_F(CudaModule, ADeviceNumberThatDoesNotExistIsRefused) {
  expect_refused({.name = "cuda", .device = 3}, absl::StatusCode::kInvalidArgument, "--device is 3");
  expect_refused({.name = "auto", .device = 3}, absl::StatusCode::kInvalidArgument, "--device is 3");
}

TEST_F(CudaModule, ANameThatNobodyHasIsRefused) { expect_refused({.name = "tpu"}, absl::StatusCode::kInvalidArgument, "'tpu' is unknown"); }

TEST_F(CudaModule, DoctorShowsModuleDriverAndDevice) {
  const cli::CudaDiagnosis found = cli::diagnose_cuda(cuda_module_path());
  EXPECT_THAT(cli::as_text(found), HasSubstr(EMULATED_MODULE));
  EXPECT_THAT(cli::as_text(found), HasSubstr("device 0: emulated, compute capability 9.0, 4.3 GB"));
  EXPECT_EQ(cli::as_json(found)["devices"][0]["compute_capability"], "9.0");
  EXPECT_TRUE(cli::as_json(found)["problem"].is_null());
  EXPECT_THAT(cli::as_text(found), HasSubstr("cuBLAS "));
  EXPECT_GE(std::stoi(cli::as_json(found)["libraries"]["cuSOLVER"].get<std::string>()), 11);
}

TEST_F(CudaModule, DoctorSaysWhyADeviceCannotBeUsed) {
  set("EMULATION_CAPABILITY", "61");
  EXPECT_THAT(cli::as_text(cli::diagnose_cuda(cuda_module_path())),
              HasSubstr("cannot be used: CUDA device 0 (emulated, compute capability 6.1) is too old"));
  set("EMULATION_DRIVER", "0");
  EXPECT_THAT(cli::as_text(cli::diagnose_cuda(cuda_module_path())), HasSubstr("no NVIDIA driver"));
  EXPECT_THAT(cli::as_text(cli::diagnose_cuda("/no/such/module.so")), HasSubstr("there is no CUDA module"));
}

TEST_F(CudaModule, DoctorTellsTheModulesBuildAndTheDriversVersion) {
  cli::CudaDiagnosis found = cli::diagnose_cuda(cuda_module_path());
  found.driver = "580.65.06";
  EXPECT_THAT(cli::as_text(found), HasSubstr("of build " + std::string(build_id()) + ", CUDA "));
  EXPECT_THAT(cli::as_text(found), HasSubstr("driver 580.65.06 knows CUDA "));
  EXPECT_EQ(cli::as_json(found)["driver"], "580.65.06");
  found.driver.clear();
  EXPECT_THAT(cli::as_text(found), HasSubstr("the driver knows CUDA "));
  EXPECT_TRUE(cli::as_json(found)["driver"].is_null());
}

TEST(NvidiaDriver, TellsItsVersionWhereTheKernelHasIt) {
  const std::filesystem::path root = testing::TempDir() + "/driver_root";
  EXPECT_EQ(nvidia_driver_version(root), "");
  std::filesystem::create_directories(root / "sys/module/nvidia");
  std::ofstream(root / "sys/module/nvidia/version") << "580.65.06\n";
  EXPECT_EQ(nvidia_driver_version(root), "580.65.06");
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace bouquet
