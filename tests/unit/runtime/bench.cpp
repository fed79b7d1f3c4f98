#include "runtime/bench/bench.h"

#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/cpu/features.h"
#include "runtime/cpu/thread_pool.h"
#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Benchmark, timesPrefillAndDecodeAsOftenAsItIsTold) {
  auto session = fakeSession();
  auto result = benchmark(*session, {20, 10, 5, 4});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->prefill_rates.size(), 4u);
  EXPECT_EQ(result->decode_rates.size(), 4u);
  EXPECT_GT(result->prefill_rate, 0);
  EXPECT_GT(result->decode_rate, 0);
  EXPECT_EQ(result->weights.bytes, 4u * kFakeVocab);
  EXPECT_EQ(result->cache.bytes, 4u * (5 + 20 + 10 / 2));
}

TEST(Benchmark, leavesOutWhatIsNotWanted) {
  auto session = fakeSession();
  auto prefill = benchmark(*session, {20, 0, 0, 2});
  ASSERT_TRUE(prefill.ok());
  EXPECT_TRUE(prefill->decode_rates.empty());
  EXPECT_EQ(prefill->decode_rate, 0);
  auto decode = benchmark(*session, {0, 3, 0, 2});
  ASSERT_TRUE(decode.ok());
  EXPECT_TRUE(decode->prefill_rates.empty());
}

TEST(Benchmark, countsNoMoreOfAWindowThanItHolds) {
  artifact::Manifest manifest = fakeManifest();
  manifest.state[0].bytes = 4 * 16;
  auto session = fakeSession(1, {}, manifest);
  EXPECT_EQ(benchmark(*session, {30, 10, 0, 1})->cache.bytes, 4u * 16);
}

TEST(Benchmark, countsFlopsOfTheKeysThatATokenSees) {
  artifact::Manifest manifest = fakeManifest();
  manifest.decode_flops = 1000;
  manifest.state[0].flops_per_key = 6;
  auto session = fakeSession(1, {}, manifest);
  auto result = benchmark(*session, {20, 10, 5, 1});
  EXPECT_EQ(result->weights.flops, 1000);
  EXPECT_EQ(result->cache.flops, 6 * (5 + 20 + 10 / 2));
  EXPECT_EQ(result->cache_at_start.flops, 6 * 10 / 2);
  manifest.state[0].window = 16;
  session = fakeSession(1, {}, manifest);
  result = benchmark(*session, {20, 10, 5, 1});
  EXPECT_EQ(result->cache.flops, 6 * 16);
  EXPECT_EQ(result->cache.bytes, 4u * 16);
}

TEST(Benchmark, decodesAtTheStartToo_WhereThereIsADepth) {
  auto session = fakeSession();
  EXPECT_EQ(benchmark(*session, {4, 2, 8, 3})->start_rates.size(), 3u);
  EXPECT_THAT(benchmark(*session, {4, 2, 0, 3})->start_rates, testing::IsEmpty());
  EXPECT_THAT(benchmark(*session, {4, 0, 8, 3})->start_rates, testing::IsEmpty());
}

// How many tokens three repetitions of 4 and 2 tokens at a depth of 40 feed, two of each also at the
// start, behind a warm-up of 32.
int tokensFed(const artifact::Manifest &manifest) {
  auto session = fakeSession(1, {/*prefill_chunk=*/1}, manifest);
  int regions = 0;
  session->observe([&](absl::string_view) { ++regions; });
  EXPECT_TRUE(benchmark(*session, {4, 2, 40, 3}).ok());
  return regions / 2; // of a step
}

TEST(Benchmark, entersItsDepthOnceWhereTheStateCanGoBack) {
  artifact::Manifest manifest = fakeManifest();
  EXPECT_EQ(tokensFed(manifest), 32 + 40 + 3 * (4 + 2) + 3 * 2);
  manifest.state[0].bytes = 4 * 16; // a window that is written over
  EXPECT_EQ(tokensFed(manifest), 32 + 3 * (40 + 4 + 2) + 3 * 2);
}

BenchResult knownResult() {
  BenchResult result;
  result.weights = {800, 100}, result.cache = {200, 4000}, result.cache_at_start = {10, 200};
  result.decode_rate = 1 / 20.0, result.start_rate = 1 / 12.0;
  return result;
}

TEST(DecodeBound, addsWhatTakesTurnsAndTakesTheLargerOfWhatOverlaps) {
  const Limits limits{/*read_bandwidth=*/100, /*flops=*/1000, Arithmetic::avx2};
  auto decode = knownResult().decodeBound(limits);
  ASSERT_TRUE(decode);
  EXPECT_DOUBLE_EQ(decode->least, 8 + 4); // weights by their bytes, keys by their FLOPs
  EXPECT_DOUBLE_EQ(decode->ratio(), 20.0 / 12);
}

TEST(AttentionBound, isOfTheKeysBetweenTheStartAndTheDepth) {
  const Limits limits{/*read_bandwidth=*/100, /*flops=*/1000, Arithmetic::avx2};
  auto attention = knownResult().attentionBound(limits);
  ASSERT_TRUE(attention);
  EXPECT_DOUBLE_EQ(attention->seconds, 20 - 12);
  EXPECT_DOUBLE_EQ(attention->least, 4 - 0.2);
  BenchResult faster = knownResult();
  faster.decode_rate = 2 * faster.start_rate;
  EXPECT_FALSE(faster.attentionBound(limits));
  faster.start_rate = 0;
  EXPECT_FALSE(faster.attentionBound(limits));
}

TEST(DecodeBound, saysNothingOfWhatIsNotKnown) {
  const Limits limits{100, 1000, Arithmetic::avx2}, unknown{100, 0, Arithmetic::none};
  EXPECT_FALSE(knownResult().decodeBound(unknown));
  BenchResult old = knownResult();
  old.weights.flops = 0;
  EXPECT_FALSE(old.decodeBound(limits));
  EXPECT_FALSE(old.attentionBound(limits));
}

TEST(ArithmeticOf, isTheFastestThatATargetAsksFor) {
  artifact::Target target;
  for (auto [needs, name] : {std::pair("", ""),
                             {"arch=x86_64;features=avx2,fma", "f32 vectors"},
                             {"arch=x86_64;features=avx2,avx512f", "f32 vectors"},
                             {"arch=x86_64;features=avx512f,amx-bf16", "bf16 tiles"}}) {
    target.compatibility = needs;
    EXPECT_EQ(nameOf(arithmeticOf(target)), name) << needs;
  }
}

TEST(MeasureFlops, isOfWhatTheMachineHas) {
  ThreadPool pool(1);
  EXPECT_EQ(measureFlops(Arithmetic::none, pool), 0);
  double below = 0;
  for (uint32_t level = 1; level <= CpuFeatures::ofThisMachine().levelCount(); ++level) {
    double flops = measureFlops(static_cast<Arithmetic>(level), pool);
    EXPECT_GT(flops, 1e9) << level;
    EXPECT_GT(flops, below / 2) << level << ", of a higher level than what gave " << below;
    below = flops;
  }
}

std::map<std::string, int64_t> callsOf(const std::vector<RegionTime> &regions) {
  std::map<std::string, int64_t> calls;
  for (const RegionTime &region : regions)
    calls[region.label] = region.calls;
  return calls;
}

TEST(Profile, countsTheRegionsOfEitherStep) {
  auto session = fakeSession();
  auto result = profile(*session, {20, 10, 5, 1});
  ASSERT_TRUE(result.ok()) << result.status();
  int64_t chunks = callsOf(result->prefill)["sum_history"];
  EXPECT_GT(chunks, 0);
  EXPECT_THAT(callsOf(result->prefill),
              ElementsAre(Pair("add_successor", chunks), Pair("sum_history", chunks)));
  EXPECT_THAT(callsOf(result->decode),
              ElementsAre(Pair("add_successor", 10), Pair("sum_history", 10)));
  EXPECT_GE(result->decode[0].seconds, result->decode[1].seconds);
  EXPECT_GT(result->decode[1].seconds, 0);
}

TEST(Profile, leavesASessionUnobserved) {
  auto session = fakeSession();
  ASSERT_TRUE(profile(*session, {4, 2, 0, 1}).ok());
  EXPECT_TRUE(benchmark(*session, {4, 2, 0, 1}).ok());
}

TEST(Profile, refusesWhatABenchmarkRefuses) {
  auto session = fakeSession();
  EXPECT_EQ(profile(*session, {60, 16, 0, 1}).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(profile(*session, {0, 0, 0, 1}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Benchmark, refusesMoreThanTheContextHolds) {
  auto session = fakeSession();
  EXPECT_TRUE(benchmark(*session, {32, 16, 16, 1}).ok());
  const int64_t huge = std::numeric_limits<int64_t>::max();
  for (BenchOptions options :
       {BenchOptions{33, 16, 16, 1}, {huge, 1, 1, 1}, {1, huge, 1, 1}, {huge, huge, huge, 1}}) {
    absl::Status status = benchmark(*session, options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_THAT(status.message(), HasSubstr("do not fit: the context has 64 tokens"));
  }
}

TEST(Benchmark, refusesWhatMakesNoSense) {
  auto session = fakeSession();
  for (BenchOptions options :
       {BenchOptions{0, 0, 0, 1}, {-1, 5, 0, 1}, {5, -1, 0, 1}, {5, 5, -1, 1}, {5, 5, 0, 0}})
    EXPECT_THAT(benchmark(*session, options).status().message(),
                HasSubstr("there must be something to do"));
}

TEST(BandwidthShare, isOfTheBytesThatATokenReads) {
  BenchResult result;
  result.weights.bytes = 900, result.cache.bytes = 100, result.decode_rate = 5;
  EXPECT_DOUBLE_EQ(result.bandwidthShare(10'000), 0.5);
  EXPECT_EQ(result.bandwidthShare(0), 0);
}

TEST(MeasureReadBandwidth, measuresOrSaysWhyNot) {
  EXPECT_GT(*measureReadBandwidth(2, 4 << 20, 2), 0);
  EXPECT_EQ(bandwidthBytes(1 << 20), 1u << 17);
  EXPECT_GE(bandwidthBytes(uint64_t{1} << 40), uint64_t{1} << 30);
  EXPECT_THAT(measureReadBandwidth(1, 1000, 1).status().message(), HasSubstr("at least 1 MiB"));
  EXPECT_FALSE(measureReadBandwidth(1, 4 << 20, 0).ok());
  EXPECT_FALSE(measureReadBandwidth(-1, 4 << 20, 1).ok());
  EXPECT_FALSE(measureReadBandwidth(kMaxThreads + 1, 4 << 20, 1).ok());
}

} // namespace
} // namespace lathe::runtime
