// Cuts a stream of frames in every way.

#include "frames.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace std::string_literals;

namespace {

constexpr std::size_t max_frame = 100'000;

std::string framed(const std::string& data) {
    std::string header;
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(data.size() >> shift & 0xff);
    return header + data;
}

/// All frames that are whole.
std::vector<std::string> take_all(std::string& stream) {
    std::vector<std::string> frames;
    while (auto frame = take_frame(stream, max_frame)) {
        frames.push_back(*frame);
        if (frames.size() > 1000) throw std::runtime_error("take_frame gives frames for ever: is each one taken off?");
    }
    return frames;
}

}  // namespace

TEST(Frames, AWholeOne) {
    std::string stream = framed("hello");
    EXPECT_EQ(take_frame(stream, max_frame), "hello"s);
    EXPECT_EQ(stream, "") << "what was taken must be gone from the stream";
    EXPECT_EQ(take_frame(stream, max_frame), std::nullopt) << "the stream is empty";
}

TEST(Frames, TwoThatCameInOneRead) {
    std::string stream = framed("one") + framed("two");
    ASSERT_EQ(take_frame(stream, max_frame), "one"s) << "two frames that came in one read: the first";
    EXPECT_EQ(take_frame(stream, max_frame), "two"s) << "two frames that came in one read: the second";
}

TEST(Frames, CutAnywhere) {
    const std::string whole = framed("one") + framed("") + framed("three");
    const std::vector<std::string> expected{"one", "", "three"};
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        std::string stream = whole.substr(0, cut);
        std::vector<std::string> got = take_all(stream);
        stream += whole.substr(cut);
        for (const auto& frame : take_all(stream)) got.push_back(frame);
        ASSERT_EQ(got, expected) << "the stream was cut after byte " << cut << " of " << whole.size();
    }
}

TEST(Frames, ByteByByte) {
    std::string stream;
    std::vector<std::string> got;
    for (const char byte : framed("slow") + framed("client")) {
        stream += byte;
        for (const auto& frame : take_all(stream)) got.push_back(frame);
    }
    EXPECT_EQ(got, (std::vector<std::string>{"slow", "client"})) << "every byte came alone";
}

TEST(Frames, OfEveryLength) {
    for (const std::size_t size : {0, 1, 127, 128, 200, 255, 256, 300, 65535, 65536, 100'000}) {
        std::string stream = framed(std::string(size, 'x')) + framed("next");
        std::optional<std::string> frame;
        ASSERT_NO_THROW(frame = take_frame(stream, max_frame)) << "a frame of " << size << " bytes is allowed";
        ASSERT_TRUE(frame) << "a frame of " << size << " bytes is there, and was not taken";
        ASSERT_EQ(frame->size(), size);
        ASSERT_EQ(take_frame(stream, max_frame), "next"s) << "after a frame of " << size << " bytes";
    }
}

TEST(Frames, AnyBytes) {
    const std::string data("\0\xff\n\r\0", 5);
    std::string stream = framed(data);
    EXPECT_EQ(take_frame(stream, max_frame), data);
}

TEST(Frames, TooLongAreRefusedAtTheHeader) {
    std::string stream("\xff\xff\xff\xff", 4);
    EXPECT_THROW(take_frame(stream, max_frame), std::length_error) << "the header says 4294967295 bytes";
    stream.assign("\0\1\x86\xa1", 4);
    EXPECT_THROW(take_frame(stream, max_frame), std::length_error)
        << "the header says 100001 bytes, 100000 are allowed";
    stream.assign("\0\1\x86\xa0", 4);
    EXPECT_EQ(take_frame(stream, max_frame), std::nullopt) << "100000 bytes are allowed, and not there yet";
}
