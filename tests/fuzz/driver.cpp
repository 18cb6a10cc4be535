// Stands in for libFuzzer where there is none: every seed file, then seeded mutations of them.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> seeds(const char* folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Input> inputs{Input{}};
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(stream),
                            std::istreambuf_iterator<char>());
    }
    return inputs;
}

void mutate(Input& input, nsr::RandomSource& random) {
    for (std::uint32_t i = 1 + random.below(4); i > 0; --i) {
        const auto at = input.empty() ? 0 : random.below(static_cast<std::uint32_t>(input.size()));
        switch (random.below(4)) {
            case 0:
                input.insert(input.begin() + at, static_cast<std::uint8_t>(random.next32()));
                break;
            case 1:
                input.resize(at);
                break;
            case 2:
                if (!input.empty()) {
                    input[at] = static_cast<std::uint8_t>(random.next32());
                }
                break;
            default:
                if (!input.empty()) {
                    input[at] = static_cast<std::uint8_t>(input[at] ^ (1u << random.below(8)));
                }
                break;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s MUTATIONS SEED_FOLDER\n", argv[0]);
        return 2;
    }
    const std::vector<Input> inputs = seeds(argv[2]);
    for (const Input& input : inputs) {
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    nsr::RandomSource random(1);
    const long mutations = std::atol(argv[1]);
    for (long i = 0; i < mutations; ++i) {
        Input input = inputs[random.below(static_cast<std::uint32_t>(inputs.size()))];
        mutate(input, random);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::printf("%zu seeds, %ld mutations\n", inputs.size(), mutations);
}
