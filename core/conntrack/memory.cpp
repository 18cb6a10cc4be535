#include <utility>

#include "core/conntrack/table.hpp"
#include "core/conntrack/zeroed_block.hpp"

namespace nsr::conntrack {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

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

std::unique_ptr<Memory> anonymous_memory() {
    return std::make_unique<AnonymousMemory>();
}

ZeroedBlock::ZeroedBlock(std::size_t bytes) {
    const std::size_t alignment = bytes >= kHugePageBytes ? kHugePageBytes : kPageBytes;
    block_.reset(std::calloc(1, bytes + alignment));
    if (block_ != nullptr) {
        std::size_t room = bytes + alignment;
        data_ = block_.get();
        std::align(alignment, bytes, data_, room);
    }
}

}  // namespace nsr::conntrack
