#include "net/buffer.hpp"

#include <array>
#include <bit>
#include <utility>

namespace net {

namespace {

/// What a thread keeps; the last block that came is the first that goes. The rest of them is empty.
struct Kept {
    std::array<Block, max_kept_blocks> blocks;
    std::size_t count = 0;
};
thread_local Kept kept;

Block new_block(std::size_t size) {
    return {std::make_unique_for_overwrite<char[]>(size), size};
}

Block borrow(std::size_t size) {
    Block block;
    if (kept.count > 0) std::swap(block, kept.blocks[--kept.count]);
    // Powers of two, so that what grows by little is seldom moved. A block that is too small makes way.
    if (block.size < size) block = new_block(std::bit_ceil(size));
    return block;
}

void keep(Block& block) {
    if (kept.count < max_kept_blocks && block.size <= max_kept_size) std::swap(block, kept.blocks[kept.count++]);
    block = {};
}

}  // namespace

void Buffer::make_room(std::size_t size) {
    const auto left = bytes();
    // Only if no more is moved than was consumed, or one small read after another would move the same bytes.
    const bool has_room = left.size() <= begin_ && left.size() + size <= block_.size;
    Block larger;
    if (!has_room) larger = borrow(left.size() + size);
    if (!left.empty()) std::memcpy(has_room ? block_.bytes.get() : larger.bytes.get(), left.data(), left.size());
    if (!has_room) block_ = std::move(larger);
    begin_ = 0;
    end_ = left.size();
}

void Buffer::give_back() {
    const auto left = bytes();
    if (left.size() == block_.size || (!left.empty() && block_.size > max_kept_size)) return;
    Block own;
    if (!left.empty()) {
        own = new_block(left.size());
        std::memcpy(own.bytes.get(), left.data(), left.size());
    }
    keep(block_);
    block_ = std::move(own);
    begin_ = 0;
    end_ = block_.size;
}

}  // namespace net
