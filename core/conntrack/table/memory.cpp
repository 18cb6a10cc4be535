#include "core/conntrack/table/memory.hpp"

#include <utility>
#include <vector>

#include "core/base/zeroed_block.hpp"

namespace nsr::conntrack {
namespace {

class AnonymousMemory final : public Memory {
  public:
    void* block(unsigned /*arena*/, std::size_t /*index*/, std::size_t bytes) override {
        ZeroedBlock block(bytes);
        void* data = block.data();
        if (data != nullptr) {
            blocks_.push_back(std::move(block));
        }
        return data;
    }

  private:
    std::vector<ZeroedBlock> blocks_;
};

}  // namespace

std::shared_ptr<void> Memory::loose(std::size_t bytes) {
    const auto block = std::make_shared<ZeroedBlock>(bytes);
    return {block, block->data()};
}

std::unique_ptr<Memory> anonymous_memory() {
    return std::make_unique<AnonymousMemory>();
}

}  // namespace nsr::conntrack
